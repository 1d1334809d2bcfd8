"""The case folder (案件资料): read with every fault named, and written back.  CONTRACT §1."""

from corrections_monitor.cases.faults import CaseFaults, Fault
from corrections_monitor.cases.reader import read, read_named
from corrections_monitor.cases.writer import write

__all__ = ["CaseFaults", "Fault", "read", "read_named", "write"]
