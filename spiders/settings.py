"""Scrapy's settings for every crawl. Scrapy's own defaults are not polite; these are.

The delay, the User-Agent and the wait after errors come from the plan of each crawl, which has
them from the register and from afterscore.toml.
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

DOWNLOADER_MIDDLEWARES = {
    "spiders.manners.RegisterHosts": 50,
    "spiders.manners.RobotsTxt": 100,  # Scrapy's own asks everything where it cannot tell
    # closer to the site than redirects, so that these wait too; the delay, and retries
    "spiders.manners.Patience": 650,
    **dict.fromkeys(
        (
            "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware",
            "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware",
            "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware",
            "scrapy.downloadermiddlewares.retry.RetryMiddleware",
            "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware",
            "scrapy.downloadermiddlewares.cookies.CookiesMiddleware",
            "scrapy.downloadermiddlewares.stats.DownloaderStats",
            "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware",
        )
    ),
}
# No request is made but by the base spider, and the reader says what a status means. Each of these
# would be asked twice about every answer: a tenth of what a quiet night costs.
SPIDER_MIDDLEWARES = dict.fromkeys(
    (
        "scrapy.spidermiddlewares.start.StartSpiderMiddleware",
        "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware",
        "scrapy.spidermiddlewares.referer.RefererMiddleware",
        "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware",
        "scrapy.spidermiddlewares.depth.DepthMiddleware",
        "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware",
    )
)
DOWNLOAD_HANDLERS = {
    **dict.fromkeys(("http", "https"), "spiders.large_answers.LargeAnswers"),
    **dict.fromkeys(("data", "file", "ftp", "s3")),
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
    "schedules.crawl.Memory": 0,
    "schedules.crawl.SignsOfLife": 0,
    **dict.fromkeys(
        (
            "scrapy.extensions.memusage.MemoryUsage",
            "scrapy.extensions.memdebug.MemoryDebugger",
            "scrapy.extensions.telnet.TelnetConsole",
            "scrapy.extensions.remote_control.RemoteControl",
            "scrapy.extensions.feedexport.FeedExporter",
            "scrapy.extensions.logstats.LogStats",
            "scrapy.extensions.spiderstate.SpiderState",
            "scrapy.extensions.throttle.AutoThrottle",
        )
    ),
}
LOG_LEVEL = "WARNING"
