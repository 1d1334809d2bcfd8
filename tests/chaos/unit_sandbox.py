"""Runs a command under the restrictions of a systemd unit, without systemd: ``python unit_sandbox.py UNIT
WRITABLE -- COMMAND…``, as root on Linux.

What the unit says is what is set: its system calls (by libseccomp, the groups as ``systemd-analyze`` lists
them), its address families, no new privileges, no capabilities, no memory that is written and then run, a
file system that is read-only but for WRITABLE.  Not reproduced: another user; private /tmp, /dev and /proc.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
MS_BIND, MS_REC, MS_PRIVATE = 4_096, 16_384, 1 << 18
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_MDWE = 24, 38, 65
SYS_MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, ATTR_RDONLY = 442, -100, 0x8000, 1
CAPABILITIES, CAPABILITY_VERSION_3 = 41, 0x20080522
ALLOW, SCMP_CMP_EQ = 0x7FFF0000, 4
NAMESPACES = {"unshare", "setns"}

libc = ctypes.CDLL(None, use_errno=True)


class Attr(ctypes.Structure):
    """``struct mount_attr``."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("attr_set", "attr_clr", "propagation", "userns_fd")]


class Comparison(ctypes.Structure):
    """``struct scmp_arg_cmp``."""

    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def directives(unit: Path, name: str) -> list[str]:
    """The values of a setting, in order."""
    rows = (line.partition("=") for line in unit.read_text("utf-8").splitlines())
    return [value for key, _, value in rows if key == name]


def group(name: str) -> Iterator[str]:
    """The system calls of a group, as this machine's systemd has it."""
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True
    )
    for word in (line.strip() for line in listed.stdout.splitlines()[1:]):
        if word.startswith("@"):
            yield from group(word)
        elif word and not word.startswith("#"):
            yield word


def system_calls(unit: Path) -> set[str]:
    """What ``SystemCallFilter=`` leaves."""
    allowed = set[str]()
    for value in directives(unit, "SystemCallFilter"):
        names = {call for word in value.removeprefix("~").split() for call in group(word)}
        allowed = allowed - names if value.startswith("~") else allowed | names
    return allowed


def checked(result: int, what: str) -> int:
    """A system call's answer; raises OSError."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def set_read_only(path: str, read_only: bool) -> None:
    attr = Attr(attr_set=ATTR_RDONLY) if read_only else Attr(attr_clr=ATTR_RDONLY)
    answer = libc.syscall(
        SYS_MOUNT_SETATTR, AT_FDCWD, path.encode(), AT_RECURSIVE, ctypes.byref(attr), ctypes.sizeof(attr)
    )
    checked(answer, f"mount_setattr {path}")


def close_in(writable: str) -> None:
    """A view of the file system in which nothing but ``writable`` can be written."""
    checked(libc.unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC), "unshare")
    checked(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None), "mount private")
    checked(libc.mount(writable.encode(), writable.encode(), None, MS_BIND | MS_REC, None), "mount bind")
    set_read_only("/", True)
    set_read_only(writable, False)
    os.chdir(writable)


def give_up_privileges() -> None:
    for capability in range(CAPABILITIES):
        checked(libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "prctl capbset")
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    checked(libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")
    checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl no_new_privs")
    checked(libc.prctl(PR_SET_MDWE, 1, 0, 0, 0), "prctl mdwe")


def filter_calls(calls: set[str], families: list[int]) -> None:
    """Everything else is answered with EPERM, and so is a socket of another family."""
    seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(0x00050000 | errno.EPERM)))
    for name in calls - {"socket"}:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            checked(seccomp.seccomp_rule_add(context, ctypes.c_uint32(ALLOW), number, 0), name)
    number = seccomp.seccomp_syscall_resolve_name(b"socket")
    for family in families:
        only = (Comparison * 1)(Comparison(0, SCMP_CMP_EQ, family, 0))
        answer = seccomp.seccomp_rule_add_array(context, ctypes.c_uint32(ALLOW), number, 1, only)
        checked(answer, f"socket {family}")
    checked(seccomp.seccomp_load(context), "seccomp_load")


def main(unit: Path, writable: str, command: list[str]) -> None:
    calls = system_calls(unit) - NAMESPACES
    families = [getattr(socket, f) for f in directives(unit, "RestrictAddressFamilies")[0].split()]
    close_in(writable)
    give_up_privileges()
    filter_calls(calls, families)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[4:])
