"""The evidence pack (证据包) of one violation: what it says, the map, and the PDF."""
