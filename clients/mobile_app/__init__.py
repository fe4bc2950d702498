"""What a mobile app does with a click, as a reference for app developers: see docs/start/mobile_apps.md.

click.py turns a click into a line, click_queue.py keeps it on the device (queue_file.py is its file),
credentials.py gets permission to put it, pack.py joins lines to records, delivery.py puts them, backoff.py
says how much and when, and client.py joins all. Of the rest of the project it needs contract/ only.
"""

from clients.mobile_app.click_queue import ClickQueue
from clients.mobile_app.client import MobileClient, Status
from clients.mobile_app.credentials import mobile_stream
from clients.mobile_app.queue_file import QueueError

__all__ = ["ClickQueue", "MobileClient", "QueueError", "Status", "mobile_stream"]
