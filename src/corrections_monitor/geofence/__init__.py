"""Where people may and may not be: many zones packed once; points in, signed distances out.

``index.ZoneIndex`` is what detection asks; ``crs`` brings GCJ-02 and BD-09 to WGS-84; ``place`` puts a
position into words.  Pure: arrays in, arrays out.
"""
