"""What happens to what was read: validated, guarded, stored, matched, merged."""
