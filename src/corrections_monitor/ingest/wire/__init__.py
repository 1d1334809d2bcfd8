"""Payload formats.  Each file reads one into ``Spoken``; none knows devices, clocks or retention."""
