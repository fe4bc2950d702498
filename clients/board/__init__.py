"""One page that shows, live, what each kind of reader clicks: `click-trends board`.

ranges.py             the time that a viewer looks at
questions.py          what a viewer looks at, as questions to the reader
article.py            one article in that time: its series, its places, when it rose
links.py              its address, from a template
asking.py             asks the reader these questions
query_loop.py         asks them for all viewers together, within a budget of searches
ranking_freshness.py  reads how old the ranking is that the service has
reconciliation.py     where every click went, where somebody counts that (the twin)
messages.py           all of this as the page gets it
background.py         runs searches beside the event loop
application.py        the page, its files and its stream of events over HTTP
server.py             serves it on 127.0.0.1
page/                 the page itself: HTML, CSS and JavaScript modules, served as they are
"""
