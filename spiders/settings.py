"""Scrapy's settings for every crawl. Scrapy's own defaults are not polite; these are.

The delay, the User-Agent and the wait after errors come from the plan of each crawl, which has
them from the register and from afterscore.toml. What becomes of answers is set by whoever crawls
(schedules/crawl.py).
"""

BOT_NAME = "afterscore"
SPIDER_MODULES = ["spiders"]
ADDONS: dict[str, int] = {}

CONCURRENT_REQUESTS = 1
CONCURRENT_REQUESTS_PER_DOMAIN = 1
DOWNLOAD_DELAY = 0  # Patience waits, with all processes on this machine
DOWNLOAD_TIMEOUT = 60
DOWNLOAD_FAIL_ON_DATALOSS = True
DOWNLOAD_VERIFY_CERTIFICATES = True
REDIRECT_MAX_TIMES = 5

# Scrapy loads all that stands in its own tables, what is switched off too: a third of the processor
# time that a crawl process needs to begin. So they hold what is used, and nothing else of Scrapy's.
DOWNLOADER_MIDDLEWARES_BASE = {
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": 590,
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": 600,
    "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": 750,
}
DOWNLOADER_MIDDLEWARES = {
    "spiders.manners.RegisterHosts": 50,
    "spiders.manners.RobotsTxt": 100,  # Scrapy's own asks everything where it cannot tell
    # closer to the site than redirects, so that these wait too; the delay, and retries
    "spiders.manners.Patience": 650,
}
# No request is made but by the base spider, and the reader says what a status means. Each of these
# would be asked twice about every answer: a tenth of what a quiet night costs.
SPIDER_MIDDLEWARES_BASE: dict[str, int] = {}
DOWNLOAD_HANDLERS = {
    **dict.fromkeys(("http", "https"), "spiders.large_answers.LargeAnswers"),
    **dict.fromkeys(("data", "file", "ftp", "s3")),
}

# Two defaults that cost more than the reading of a page. Scrapy makes as many tasks a response
# as it has CONCURRENT_ITEMS, 100; and, for each, it parses the source of the callback in search of
# a `return`, since what it remembers of a bound method is lost with that method.
CONCURRENT_ITEMS = 1
WARN_ON_GENERATOR_RETURN_VALUE = False

# A crawl that leaks ends in order, and alone; how much it may need stands in its plan. Scrapy's own
# extension would count what the process that started it has needed, too.
MEMUSAGE_ENABLED = True
EXTENSIONS_BASE = {
    "scrapy.extensions.corestats.CoreStats": 0,
    "scrapy.extensions.logcount.LogCount": 0,
    "scrapy.extensions.closespider.CloseSpider": 0,
}
LOG_LEVEL = "WARNING"
