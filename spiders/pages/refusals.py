"""What stands in place of a page, whatever the site: refusals by status, challenges, consent, and
errors in JSON too.

What a page says of itself is looked for only where no layout answers, so that a film named
"Access Denied" is still read.
"""

from __future__ import annotations

import re
from typing import Any

from spiders.items import Outcome
from spiders.pages.embedded import value_at
from spiders.pages.numbers import figure
from spiders.pages.page import Page

_CHALLENGE = re.compile(
    rb"just a moment\.\.\.|attention required! \| cloudflare|incapsula incident"
    rb"|access to this page has been denied|unusual traffic"
    rb"|verify (?:that )?you are (?:a )?human|are you a (?:human|robot)"
    rb"|verify that you.{1,8}re not a (?:ro)?bot"
    rb"|checking your browser before accessing|/cdn-cgi/l/chk_"
    rb"|request is being verified|/\.well-known/sgcaptcha|sucuri_cloudproxy_js|/validatecaptcha\b"
    rb"|access to this (?:site|service) has been limited"
    rb"|the requested url was rejected\. please consult|making sure you.{1,8}re not a bot"
    rb"|<title[^<>]*>[^<]{0,80}(?:access denied|robot (?:check|challenge)|captcha"
    rb"|pardon our interruption|security check|before you continue|request blocked"
    rb"|human verification|client challenge|consent|cookie preferences)"
    rb"|id=[\"']?(?:didomi|sp_message|consent)-?(?:wall|page|gate)"
    rb"|enable javascript and cookies to continue|\"blockscript\"\s*:",
    re.I,
)
# What a firewall loads stands on ordinary pages of some sites too: it makes a challenge only of a
# page that says next to nothing itself.
_LOADS_CHALLENGE = re.compile(
    rb"cf-challenge|cf_chl_|challenge-platform|awswafintegration|aws-waf-token|token\.awswaf\.com"
    rb"|captcha-delivery|px-captcha|_pxappid|/_incapsula_resource|g-recaptcha|h-captcha"
    rb"|hcaptcha\.com|geo\.captcha|recaptcha/api|cf-turnstile|sec-if-cpt|\bkpsdk\b"
    rb"|consent\.(?:google|yahoo)\."
    rb"|\bsp_message_container",
    re.I,
)
_NOT_SHOWN = re.compile(
    rb"<(script|style|svg|template)\b.*?(?:</\1\s*>|\Z)|<!--.*?-->|<[^>]*>", re.I | re.S
)
_SAYS_SOMETHING = 1500
"""Letters that people would read; a challenge has some hundred."""


# Saved copies have lost the status that servers write into the pages they make themselves, after
# the site's name perhaps ("example.com | 502: Bad gateway").
_SAID_STATUS = re.compile(
    rb"<(?:title|h1)\b[^<>]*>\s*(?:[^<|]{0,100}\|\s*)?(?:http\s*)?(?:error:?\s*)?"
    rb"(?P<code>403|404|410|429|5\d\d)\b"
    rb"\s*\(?(?:[-|:]|not found|forbidden|gone|too many|internal|bad|service|gateway|backend|error"
    rb"|page)",
    re.I,
)
# So have those of a site's software: WordPress names the class of its body.
_SAID_NOT_FOUND = re.compile(
    rb"<title[^<>]*>\s*page not found\b|<body\b[^<>]*\bclass=\"[^\"<>]*\berror404\b", re.I
)
_SAID_BROKEN = re.compile(
    rb"<(?:title|h1)\b[^<>]*>\s*error establishing a database connection"
    rb"|\bbriefly unavailable for scheduled maintenance\b"
    rb"|\bthere has been a critical error on (?:this|your) website\b",
    re.I,
)

# Some say it in a few words alone, as text or in JSON; Cloudflare has numbers of its own for it.
_IN_A_FEW_WORDS = re.compile(
    r"\s*(?:error code: (?P<code>\d{3,4})|(?P<many>too many requests|(?:rate )?limit exceeded)"
    r"|(?P<no>(?:403 )?forbidden|access denied))[.!]?\s*",
    re.I,
)
_A_FEW = 4096
"""Bytes that an answer has at most which is an error and nothing else."""

_OUTCOME_OF_STATUS = {
    401: Outcome.UNAUTHORISED,
    403: Outcome.BLOCKED,
    404: Outcome.NOT_FOUND,
    407: Outcome.BLOCKED,
    410: Outcome.NOT_FOUND,
    429: Outcome.RATE_LIMITED,
    451: Outcome.BLOCKED,
    1015: Outcome.RATE_LIMITED,
}


def refused_by_status(page: Page) -> tuple[Outcome, str] | None:
    """The outcome that status and headers alone decide, with its reason, or None."""
    status = page.status
    waf = page.header("x-amzn-waf-action") or page.header("cf-mitigated")
    if waf and waf.casefold() in {"challenge", "captcha"}:
        return Outcome.BLOCKED, f"status {status}, a firewall's {waf}"
    if status == 202:
        return Outcome.BLOCKED, "status 202 in place of a page"
    if status == 304:  # what it was not asked: where it was, nothing is read
        return Outcome.ERROR, "status 304 to a question without a condition"
    if status == 503 and page.header("retry-after"):
        return Outcome.RATE_LIMITED, "status 503"
    if status < 400:
        return None
    if status not in _OUTCOME_OF_STATUS and is_challenge(page):
        return Outcome.BLOCKED, f"status {status}, a challenge page"
    return _outcome_of(status), f"status {status}"


def said_instead(page: Page) -> tuple[Outcome, str] | None:
    """The outcome that a page which no layout fits tells of itself, with its reason, or None."""
    if is_challenge(page):
        return Outcome.BLOCKED, "a challenge or consent page with status 200"
    if said := _SAID_STATUS.search(page.body, 0, 4096):
        code = int(said["code"])
        return _outcome_of(code), f"the page says that its status was {code}"
    if _SAID_NOT_FOUND.search(page.body, 0, 200_000):
        return Outcome.NOT_FOUND, "the page says that it was not found"
    if _SAID_BROKEN.search(b" ".join(page.body[:20_000].split())):
        return Outcome.ERROR, "the page says that its site was down"
    return _in_few_words(page) if len(page.body) <= _A_FEW else None


def is_challenge(page: Page) -> bool:
    """Whether a page asks who is there, or for consent, in place of what was asked for."""
    start = b" ".join(page.body[:200_000].split())
    if _CHALLENGE.search(start):
        return page.json is None or len(page.body) < 10_000  # in data, it is what somebody wrote
    if not _LOADS_CHALLENGE.search(start):
        return False
    shown = b" ".join(_NOT_SHOWN.sub(b" ", start).split())
    return len(shown) < _SAYS_SOMETHING


def _in_few_words(page: Page) -> tuple[Outcome, str] | None:
    answer = page.json
    if (code := _error_code(answer)) is not None:
        return _outcome_of(code), f"the answer holds the error {code}"
    text = value_at(answer, "message") if isinstance(answer, dict) else page.text
    said = _IN_A_FEW_WORDS.fullmatch(text) if isinstance(text, str) else None
    if not said:
        return None
    detail = f"the answer is: {said[0].strip()}"
    if said["code"]:
        return _outcome_of(int(said["code"])), detail
    return Outcome.RATE_LIMITED if said["many"] else Outcome.BLOCKED, detail


def _outcome_of(code: int) -> Outcome:
    return _OUTCOME_OF_STATUS.get(code, Outcome.BLOCKED if code >= 1000 else Outcome.ERROR)


def _error_code(answer: Any) -> int | None:
    """The HTTP status that a JSON error states, whichever of the usual names it bears there."""
    if not isinstance(answer, dict) or "components" in answer:
        return None
    parts = [answer, *(answer.get(name) for name in ("error", "meta", "data"))]
    for stated in (*parts, value_at(answer, "errors", 0)):
        for key in ("statusCode", "status", "code"):
            code = figure(value_at(stated, key))
            if isinstance(code, int) and 400 <= code < 600:
                return code
    return None
