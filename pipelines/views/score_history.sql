SELECT film_id, listing_id, source, score_kind, state, value, votes, votes_at_least, origin,
  said_at AS valid_from, observed_to, until AS valid_to
FROM score_steps
