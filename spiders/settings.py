"""Scrapy's settings for every crawl. Scrapy's own defaults are not polite; these are.

The delay, the User-Agent and the wait after errors come from the plan of each crawl, which has
them from the register and from afterscore.toml.
"""

BOT_NAME = "afterscore"
SPIDER_MODULES = ["spiders"]
ADDONS: dict[str, int] = {}

ROBOTSTXT_OBEY = False  # spiders.manners.RobotsTxt obeys it, and asks nothing where it cannot tell
CONCURRENT_REQUESTS = 1
CONCURRENT_REQUESTS_PER_DOMAIN = 1
# The base spider sets the delay to 1.25 times the plan's: with this jitter the wait is never
# shorter than what the register or robots.txt asks for.
DOWNLOAD_DELAY_JITTER = 0.2
DOWNLOAD_TIMEOUT = 60
DOWNLOAD_FAIL_ON_DATALOSS = True
DOWNLOAD_VERIFY_CERTIFICATES = True
REDIRECT_MAX_TIMES = 5
HTTPERROR_ALLOW_ALL = True  # the reader says what a status means
COOKIES_ENABLED = False
REFERER_ENABLED = False
METAREFRESH_ENABLED = False
RETRY_ENABLED = False  # spiders.manners.Patience retries, with back-off and Retry-After

DOWNLOADER_MIDDLEWARES = {
    "spiders.manners.RegisterHosts": 50,
    "spiders.manners.RobotsTxt": 100,
    "spiders.manners.Patience": 650,  # closer to the site than redirects, so that these wait too
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
}
ITEM_PIPELINES = {
    "pipelines.validate.ValidatePipeline": 100,
    "schedules.crawl.HandOverPipeline": 900,
}

# Two defaults that cost more than the reading of a page. Scrapy makes as many tasks a response
# as it has CONCURRENT_ITEMS, 100; and, for each, it parses the source of the callback in search of
# a `return`, since what it remembers of a bound method is lost with that method.
CONCURRENT_ITEMS = 1
WARN_ON_GENERATOR_RETURN_VALUE = False

# A crawl that leaks ends in order, and alone; how much it may need stands in its plan. Scrapy's own
# extension would count what the process that started it has needed, too.
MEMUSAGE_ENABLED = True
EXTENSIONS = {
    "scrapy.extensions.memusage.MemoryUsage": None,
    "schedules.crawl.Memory": 0,
    "schedules.crawl.SignsOfLife": 0,
}

TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
LOG_LEVEL = "WARNING"
LOGSTATS_INTERVAL = 0
