"""What a mobile app does with a click, as a reference for app developers: see docs/mobile_apps.md.

click.py turns a click into a record, click_queue.py keeps it on the device, credentials.py gets the right to
put it, delivery.py puts it, and client.py joins them.
"""

from mobile_client.click_queue import ClickQueue, QueueError
from mobile_client.client import MobileClient, Status
from mobile_client.credentials import mobile_stream

__all__ = ["ClickQueue", "MobileClient", "QueueError", "Status", "mobile_stream"]
