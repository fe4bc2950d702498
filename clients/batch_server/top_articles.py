"""The most clicked articles of each segment, exact over any number of days.

An index holds one UTC day in one shard, and a shard's own list is exact. So within a day one search is
enough. Over several days the lists of the days are combined, by a threshold as in R. Fagin, A. Lotem and
M. Naor, "Optimal Aggregation Algorithms for Middleware" (2003):

1. the first articles of each day, and with them the clicks of the last one listed: an article that is in no
   list has at most the sum of those (the bound). One search, or one a day where many segments are asked for.
2. the exact sums of the articles that can still be among the first: one search. When the last article to be
   listed has more than the bound, no unseen article can take its place, and the list is exact.
3. for segments where that does not hold (flat counts: thousands of articles with one click each): all of
   their articles are merged, MAX_MERGED counts a search; OpenSearch says whether a shard cut a list.
"""

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from clients.batch_server import aggregations
from clients.batch_server.aggregations import Aggregation
from clients.batch_server.answers import TopList, TrendingArticle
from clients.batch_server.errors import TooManyBucketsError, TrendsError
from clients.batch_server.minutes import Minutes
from clients.batch_server.question import Question
from clients.batch_server.segment import Grouping, Segment

MAX_BUCKETS = 60_000
"""Articles a search may list, in all its segments: OpenSearch's search.max_buckets is 65,535."""
MAX_MERGED = 200_000
"""Counts whose articles are merged in one search: 1.2 million buckets ended a server with a small heap."""
MAX_SLICES = 64
"""Searches for one segment in step 3; that many hold 12.8 million counts."""
MAX_PLACES = 5_000_000
"""Segments times shard_size in one search: OpenSearch reserves a place for each article that a segment may
list, 4 bytes each, whether or not there is one."""
MAX_CLAUSES = 1000
"""Columns of segments in the filters of one search; OpenSearch allows 1,024 (max_clause_count)."""
EXPECTED_VALUES = 20
"""Of a column: how many segments a search is planned for. More can take more searches; no answer is wrong."""
EXPECTED_SEGMENTS = 1000
SPARE_CANDIDATES = 100
PICTURE_CANDIDATES = 2000
"""Articles of all days that are looked at first where all readers are asked about: where fewer were clicked,
no list is cut."""
MAX_CANDIDATES = 60_000
"""In one request; OpenSearch allows 65,536 terms (index.max_terms_count)."""
MAX_CANDIDATE_BYTES = 4_000_000
"""Small instances of OpenSearch Service take requests of 10 MiB; each candidate is in one twice."""

Counts = dict[str, int]
"""Clicks by article id."""
Key = tuple[Grouping, Segment]
"""A segment, and the grouping that it is a part of."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to list: `limit` articles of each segment, those with at least `min_clicks`."""

    groupings: tuple[Grouping, ...]
    limit: int
    min_clicks: int

    @property
    def listed(self) -> int:
        return self.limit + 1  # one more tells whether the list is cut


@dataclass
class _DayList:
    """One day's first articles of a segment; complete: these are all. counts: number of documents."""

    clicks_of: Counts
    complete: bool
    clicks: int
    counts: int

    @property
    def bound(self) -> int:
        """No article outside the list has more clicks."""
        return 0 if self.complete else min(self.clicks_of.values(), default=0)


@dataclass
class _Days:
    """The lists of one segment, each day that has any."""

    lists: list[_DayList] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return all(day.complete for day in self.lists)

    @property
    def bound(self) -> int:
        """No article that is in none of the lists has more clicks in all."""
        return sum(day.bound for day in self.lists)

    @property
    def clicks(self) -> int:
        return sum(day.clicks for day in self.lists)

    @property
    def counts(self) -> int:
        return sum(day.counts for day in self.lists)

    def seen(self) -> Counts:
        """What the lists together hold of each article: all its clicks, or fewer where a list is cut."""
        seen: Counts = {}
        for day in self.lists:
            for article_id, clicks in day.clicks_of.items():
                seen[article_id] = seen.get(article_id, 0) + clicks
        return seen

    def candidates(self, wanted: Wanted) -> list[str]:
        """Candidates: listed articles that could still reach the top, given the largest count a cut list can
        hide. None when even their exact sums could not show that no unseen article is among those wanted."""
        seen = self.seen()
        most = {
            article_id: clicks + sum(day.bound for day in self.lists if article_id not in day.clicks_of)
            for article_id, clicks in seen.items()
        }
        if max(_last_of(most, wanted), wanted.min_clicks) <= self.bound:
            return []
        needed = max(_last_of(seen, wanted), wanted.min_clicks)
        return [article_id for article_id, clicks in most.items() if clicks >= needed]


DayLists = Mapping[Key, _Days]


def _last_of(clicks_of: Counts, wanted: Wanted) -> int:
    """The clicks of the last article that would be listed; 0 when there are not as many."""
    largest = heapq.nlargest(wanted.listed, clicks_of.values())
    return largest[-1] if len(largest) == wanted.listed else 0


def rank(question: Question, wanted: Wanted) -> dict[Segment, TopList]:
    """The list of each segment that was clicked, in order of the groupings and of the segments' values.

    Raises TrendsError.
    """
    days = question.minutes.days()
    size = wanted.listed if len(days) == 1 else _candidates_a_day(wanted)
    try:
        first = first_of_days(question, wanted.groupings, size)
    except TooManyBucketsError:
        if len(days) == 1:
            raise
        # More segments than expected: of each day alone what is asked within a day, and more searches later.
        first = first_of_days(question, wanted.groupings, wanted.listed, days_at_once=1)
    return ranked(question, wanted, first)


def leading(
    question: Question, wanted: Wanted, inner: Mapping[str, Aggregation], beside: Mapping[str, Aggregation]
) -> Aggregation | TopList:
    """The articles of all readers, who are the one grouping wanted, in an answer as of one search: its
    `articles` have `inner` over each one's counts, and `beside` stands beside them. {} while nothing was
    counted. Their list alone where sums of candidates cannot decide.

    1 search within a UTC day, whose counts are in one index with one shard: its largest sums are the largest.
    Over several days 2: the first articles of each day, then those that can be among the first of all.

    Raises TrendsError.
    """
    days = question.minutes.days()
    if len(days) == 1:
        lists = aggregations.articles(size=wanted.listed, inner=inner)
        return question.ask({"articles": lists, **beside})
    first = first_of_days(question, wanted.groupings, _size_of_a_picture(wanted, len(days)))
    for lists_of_days in first.values():
        candidates = sorted(lists_of_days.candidates(wanted))
        if candidates and _fits(candidates):
            size = min(wanted.listed, len(candidates))
            lists = aggregations.articles(size=size, among=candidates, inner=inner)
            answer = question.ask({"articles": lists, **beside})
            if _decides(answer["articles"], lists_of_days.bound, wanted):
                return answer
    nothing = TopList(articles=(), clicks=0, cut=False)
    return ranked(question, wanted, first).get(question.segment, nothing)


def _decides(listed: Aggregation, bound: int, wanted: Wanted) -> bool:
    """Whether no article that is not listed can have more clicks than the last listed."""
    if listed["doc_count_error_upper_bound"]:  # below 0: a shard has more than it told
        raise TrendsError("the articles grew while they were listed: ask again")
    complete = len(listed["buckets"]) == wanted.listed
    last = aggregations.clicks(listed["buckets"][-1]) if complete else 0
    return max(last, wanted.min_clicks) > bound


def _size_of_a_picture(wanted: Wanted, days: int) -> int:
    """Articles to list of each day where all readers are asked about."""
    return max(_candidates_a_day(wanted), PICTURE_CANDIDATES // days)


def first_of_days(
    question: Question, groupings: Sequence[Grouping], size: int, days_at_once: int | None = None
) -> DayLists:
    """The first `size` articles of each day and segment. days_at_once: in one search; as many as should have
    room if None. Raises TrendsError."""
    found: dict[Key, _Days] = {}
    days = question.minutes.days()
    roomy = max(1, MAX_BUCKETS // (size * _expected_segments(groupings)))
    for chunk in _chunks(days, days_at_once or roomy):
        _add_first_of_each_day(question, groupings, chunk, size, found)
    return found


def ranked(question: Question, wanted: Wanted, found: DayLists) -> dict[Segment, TopList]:
    """The exact lists, from the first articles of each day. Raises TrendsError."""
    exact = {key: each.seen() for key, each in found.items()}
    if len(question.minutes.days()) > 1:
        exact |= _exact_where_cut(question, wanted, found)
    in_order = sorted(found, key=lambda key: (wanted.groupings.index(key[0]), key[1].fields))
    return {key[1]: _top_list(exact[key], found[key].clicks, wanted) for key in in_order}


def _candidates_a_day(wanted: Wanted) -> int:
    roomy = MAX_BUCKETS // _expected_segments(wanted.groupings)
    return max(wanted.listed, min(4 * wanted.limit + SPARE_CANDIDATES, roomy))


def _expected_segments(groupings: Sequence[Grouping]) -> int:
    expected: int = sum(EXPECTED_VALUES ** len(grouping) for grouping in groupings)
    return min(expected, EXPECTED_SEGMENTS)


def _add_first_of_each_day(
    question: Question,
    groupings: Sequence[Grouping],
    days: Sequence[Minutes],
    size: int,
    found: dict[Key, _Days],
) -> None:
    lists = {
        "articles": aggregations.articles(size=size, shard_size=size),
        "clicks": aggregations.CLICKS,
    }
    of_groupings = {
        str(number): aggregations.grouped(grouping, lists) for number, grouping in enumerate(groupings)
    }
    if list(days) == [question.minutes]:  # a filter for each day would let every count through
        answer = question.ask(of_groupings)
        answers = [answer] if answer else []
    else:
        asked = {
            day.since.isoformat(): aggregations.part(of_groupings, aggregations.during(day)) for day in days
        }
        answer = question.ask(asked)
        answers = [answer[name] for name in asked] if answer else []
    for day in answers:
        for number, grouping in enumerate(groupings):
            for segment, node in aggregations.each_segment(grouping, day[str(number)], question.segment):
                listed, counts = node["articles"], node["doc_count"]
                if counts:
                    found.setdefault((grouping, segment), _Days()).lists.append(
                        _DayList(
                            clicks_of=aggregations.clicks_of_articles(listed),
                            complete=not listed["sum_other_doc_count"],
                            clicks=aggregations.clicks(node),
                            counts=counts,
                        )
                    )


def _exact_where_cut(question: Question, wanted: Wanted, found: Mapping[Key, _Days]) -> dict[Key, Counts]:
    """The exact lists of the segments for which the lists of the days are not all complete."""
    cut = {key: each for key, each in found.items() if not each.complete}
    exact = {}
    for key, counts in _sums(question, wanted, cut, found).items():
        if max(_last_of(counts, wanted), wanted.min_clicks) > cut[key].bound:
            exact[key] = counts
    return exact | _merged(question, wanted, {key: cut[key].counts for key in cut if key not in exact})


def _sums(
    question: Question, wanted: Wanted, cut: Mapping[Key, _Days], found: Mapping[Key, _Days]
) -> dict[Key, Counts]:
    """The first candidates of each segment by the exact sums of all days, where sums can decide."""
    candidates = {key: set(each.candidates(wanted)) for key, each in cut.items()}
    decidable = {key: some for key, some in candidates.items() if some and _fits(some)}
    if not decidable:
        return {}
    all_of_them = set().union(*decidable.values())
    groupings = {key[0] for key in decidable}
    whole = [key for key in found if key[0] in groupings]
    if _fits(all_of_them) and len(whole) * len(all_of_them) <= MAX_PLACES:
        sums = _lists_of(question, whole, _among(all_of_them, wanted), filtered=False)
        return {key: sums.get(key, {}) for key in decidable}
    summed: dict[Key, Counts] = {}
    batch: list[Key] = []
    union: set[str] = set()
    for key, some in decidable.items():
        together = union | some
        full = not _fits(together) or (len(batch) + 1) * len(together) > MAX_PLACES
        if batch and (full or _clauses([*batch, key]) > MAX_CLAUSES):
            summed |= _lists_of(question, batch, _among(union, wanted))
            batch, together = [], some
        batch.append(key)
        union = together
    return summed | _lists_of(question, batch, _among(union, wanted))


def _among(candidates: Iterable[str], wanted: Wanted) -> Aggregation:
    among = sorted(candidates)
    return aggregations.articles(size=min(wanted.listed, len(among)), among=among)


def _fits(candidates: Collection[str]) -> bool:
    size = sum(len(article_id.encode()) for article_id in candidates)
    return len(candidates) <= MAX_CANDIDATES and size <= MAX_CANDIDATE_BYTES


def _clauses(keys: Iterable[Key]) -> int:
    return sum(len(key[1].fields) for key in keys)


def _lists_of(
    question: Question, keys: Sequence[Key], lists: Aggregation, *, filtered: bool = True
) -> dict[Key, Counts]:
    """The lists of these segments, by one search; filtered: False when they are all of their groupings."""
    groupings = list(dict.fromkeys(key[0] for key in keys))
    asked = {}
    for number, grouping in enumerate(groupings):
        segments = [aggregations.of_segment(key[1]) for key in keys if key[0] == grouping]
        filters = [aggregations.any_of(segments)] if filtered else []
        inner = {"segments": aggregations.grouped(grouping, {"articles": lists})}
        asked[str(number)] = aggregations.part(inner, *filters)
    answer = question.ask(asked)
    found = {}
    for number, grouping in enumerate(groupings):
        segments_of_it = answer[str(number)]["segments"]
        for segment, node in aggregations.each_segment(grouping, segments_of_it, question.segment):
            if node["articles"]["doc_count_error_upper_bound"]:  # below 0: a shard has more than it told
                raise TrendsError(f"the articles of {segment.label} grew while they were listed: ask again")
            found[grouping, segment] = aggregations.clicks_of_articles(node["articles"])
    return found


def _merged(question: Question, wanted: Wanted, counts: Mapping[Key, int]) -> dict[Key, Counts]:
    """The exact lists of these segments (counts: how many each has), by all of their articles."""
    merged: dict[Key, Counts] = {}
    for batch in _batches(counts):
        slices = -(-sum(counts[key] for key in batch) // MAX_MERGED)
        if slices > MAX_SLICES:
            raise TrendsError(
                f"too many articles of {batch[0][1].label} have as few clicks as the last to be listed: "
                "ask for fewer articles, a higher minimum of clicks or a shorter time"
            )
        room = _room(max(counts[key] for key in batch) // slices)
        for number in range(slices):
            lists = aggregations.articles(
                size=wanted.listed, shard_size=room, slice_of=(number, slices) if slices > 1 else None
            )
            for key, some in _lists_of(question, batch, lists).items():
                merged[key] = merged.get(key, {}) | some
    return merged


def _room(counts: int) -> int:
    """shard_size for as many counts: more may come meanwhile, and slices are not of one size."""
    return 2 * counts + SPARE_CANDIDATES


def _batches(counts: Mapping[Key, int]) -> Iterator[list[Key]]:
    """Segments whose counts fit into one search together, smallest first; a too large one is alone."""
    batch: list[Key] = []
    size = 0
    for key in sorted(counts, key=counts.__getitem__):
        full = size + counts[key] > MAX_MERGED or (len(batch) + 1) * _room(counts[key]) > MAX_PLACES
        if batch and (full or _clauses([*batch, key]) > MAX_CLAUSES):
            yield batch
            batch, size = [], 0
        batch.append(key)
        size += counts[key]
    if batch:
        yield batch


def _top_list(counts: Counts, clicks: int, wanted: Wanted) -> TopList:
    in_order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    enough = [TrendingArticle(*each) for each in in_order if each[1] >= wanted.min_clicks]
    return TopList(articles=tuple(enough[: wanted.limit]), clicks=clicks, cut=len(enough) > wanted.limit)


def _chunks(days: Sequence[Minutes], size: int) -> Iterator[Sequence[Minutes]]:
    for start in range(0, len(days), size):
        yield days[start : start + size]
