"""What a batch server in Tokyo asks of the counts in Oregon: the trending articles, for all or one segment.

reader = connect("https://search-click-trends-....us-west-2.es.amazonaws.com")
reader.top(timedelta(minutes=10), segment=Segment(age_band="20s"))
"""

from batch_server.errors import TrendsError
from batch_server.queries import Segment, SegmentField, Totals, TrendingArticle
from batch_server.reader import TrendingReader, connect

__all__ = ["Segment", "SegmentField", "Totals", "TrendingArticle", "TrendingReader", "TrendsError", "connect"]
