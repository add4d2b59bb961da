"""Text as sites write it, brought to plain lower-case letters for comparison."""

from __future__ import annotations

import html
import re
import unicodedata
from contextlib import suppress

# Letters that Unicode does not decompose, and the two alphabets that film sites transliterate most
# often. Transliterations differ (iy, y, ij): that is left to the comparison, which tolerates it.
_LATIN = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i",
    "ħ": "h", "ŋ": "n", "ə": "e", "¢": "c", "ŀ": "l", "½": " 1/2", "⅓": " 1/3", "⅔": " 2/3",
    "¼": " 1/4", "¾": " 3/4", "²": " 2", "³": " 3", "¹": " 1", "⁴": " 4", "’": "'", "‘": "'",
    "`": "'", "´": "'", "ʼ": "'", "ʻ": "'", "′": "'",
}  # fmt: skip
_CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z",
    "и": "i", "й": "y", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r",
    "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh",
    "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya", "і": "i", "ї": "i",
    "є": "e", "ґ": "g", "ў": "u", "ј": "j", "љ": "lj", "њ": "nj", "ћ": "c", "ђ": "dj", "џ": "dz",
}  # fmt: skip
_GREEK = {
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i",
    "κ": "k", "λ": "l", "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s",
    "ς": "s", "τ": "t", "υ": "y", "φ": "f", "χ": "ch", "ψ": "ps", "ω": "o",
}  # fmt: skip
_WRITTEN_OUT = str.maketrans({**_LATIN, **_CYRILLIC, **_GREEK})

_MISREAD = {
    re.compile(r"[ÂâÃÄÅÎÏÐÑ][\u0080-\u00bf\u0152-\u2122]"): ("cp1252", "latin-1"),
    re.compile(r"[√≈ƒ‚–—œŒ¬]\S"): ("mac-roman",),
}
"""What UTF-8 looks like where somebody read it in another encoding: `Ã©` or `√©` for `é`."""

BARELY = 0.7
"""How much of a title or a name is left at least where a file knows English letters alone."""

_DROPPED = ("Mn", "Cf", "Cc")
"""Unicode categories: accents, and marks of direction and control, which are not seen."""


def plain(text: str) -> str:
    """Lower case without accents, marks of direction and errors of encoding.

    >>> plain("L’Œil du Malin"), plain("Солярис"), plain("8½")
    ("l'oeil du malin", 'solyaris', '8 1/2')
    >>> plain("AmÃ©lie"), plain("AmÃƒÂ©lie"), plain("Am√©lie")
    ('amelie', 'amelie', 'amelie')
    """
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = _as_meant(text)
    text = " ".join(text.split())
    if text.isascii() and text.isprintable():
        return text.lower()
    text = unicodedata.normalize("NFC", text).casefold().translate(_WRITTEN_OUT)
    if text.isascii() and text.isprintable():
        return text
    # Once more: letters in bold or with an accent are plain ones only when taken apart.
    apart = unicodedata.normalize("NFKD", text).casefold().translate(_WRITTEN_OUT)
    return "".join(letter for letter in apart if unicodedata.category(letter) not in _DROPPED)


def _as_meant(text: str) -> str:
    """A text without errors of encoding, also where it was misread more than once."""
    for looks, encodings in _MISREAD.items():
        if looks.search(text):
            for encoding in encodings:
                with suppress(UnicodeError):
                    return _as_meant(text.encode(encoding).decode("utf-8"))
    return text
