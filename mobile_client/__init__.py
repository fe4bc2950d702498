"""What a mobile app does with a click, as a reference for app developers: see docs/mobile_apps.md.

click.py turns a click into a record, click_queue.py keeps it on the device (queue_file.py is its file),
credentials.py gets the right to put it, delivery.py puts it, pace.py says how much and when, and client.py
joins them. Of the rest of the project it needs contract/ only.
"""

from mobile_client.click_queue import ClickQueue
from mobile_client.client import MobileClient, Status
from mobile_client.credentials import mobile_stream
from mobile_client.queue_file import QueueError

__all__ = ["ClickQueue", "MobileClient", "QueueError", "Status", "mobile_stream"]
