"""What a batch server in Tokyo asks of the counts in Oregon: what each kind of reader clicks, now.

reader = connect("https://search-click-trends-....us-west-2.es.amazonaws.com")
reader.top(timedelta(minutes=10), Segment(age_band="20s")).articles
"""

from clients.batch_server.answers import (
    Answer,
    ComparedArticle,
    Comparison,
    CountTotals,
    Freshness,
    HeatMap,
    Rising,
    RisingArticle,
    Series,
    TopArticles,
    TopList,
    TopOfSegments,
    Trend,
    TrendingArticle,
)
from clients.batch_server.errors import TrendsError
from clients.batch_server.minutes import Minutes
from clients.batch_server.progress import ReadProgress
from clients.batch_server.reader import TrendingReader, connect
from clients.batch_server.segment import (
    ALL_READERS,
    EACH_COMBINATION,
    EACH_VALUE,
    EVERY_SEGMENT,
    Grouping,
    Segment,
)

__all__ = [
    "ALL_READERS",
    "EACH_COMBINATION",
    "EACH_VALUE",
    "EVERY_SEGMENT",
    "Answer",
    "ComparedArticle",
    "Comparison",
    "CountTotals",
    "Freshness",
    "Grouping",
    "HeatMap",
    "Minutes",
    "ReadProgress",
    "Rising",
    "RisingArticle",
    "Segment",
    "Series",
    "TopArticles",
    "TopList",
    "TopOfSegments",
    "Trend",
    "TrendingArticle",
    "TrendingReader",
    "TrendsError",
    "connect",
]
