"""The one predict that every way in calls, and the queue behind it."""
