"""Kernel locks for processes that run or parse model text: seccomp, another user, no capabilities, limits.

Guarantees, once `SeccompFilter.install` has returned in a process: no sockets, no new processes, no exec, no signals
to others, no file opened for writing. `walls.landlock` (where the kernel has it) further limits reading to named
folders; `walls.namespaces` does the same and more where namespaces may be made. It does not hide the candidate's own
interpreter from the candidate.

Only Linux on x86_64 and aarch64 is known; elsewhere `SeccompFilter.for_this_machine` raises `OSError`.
"""

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
import sys

from rewards.sandbox.walls.kernel import PR_SET_NO_NEW_PRIVS, check, libc, prctl

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2

_CLONE_THREAD = 0x00010000
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_CLONE_NEWIPC = 0x08000000

# Access mode plus every flag with which open() creates or changes a file (O_TMPFILE without its O_DIRECTORY part).
_OPEN_WRITE_BITS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | 0o20000000

# System call numbers (x86_64, aarch64) that a computing Python process needs; None: absent there.
# An allow-list: whatever a newer kernel adds (io_uring was such a surprise) is refused by default.
_ALLOWED: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63),
    "write": (1, 64),
    "mmap": (9, 222),
    "munmap": (11, 215),
    "brk": (12, 214),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "futex": (202, 98),
    "close": (3, 57),
    "fstat": (5, 80),
    "newfstatat": (262, 79),
    "lseek": (8, 62),
    "exit_group": (231, 94),
    "exit": (60, 93),
    "stat": (4, None),
    "lstat": (6, None),
    "statx": (332, 291),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "getdents64": (217, 61),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "getcwd": (79, 17),
    "pread64": (17, 67),
    "readv": (19, 65),
    "writev": (20, 66),
    "poll": (7, None),
    "ppoll": (271, 73),
    "select": (23, None),
    "pselect6": (270, 72),
    "pipe2": (293, 59),
    "dup": (32, 23),
    "fcntl": (72, 25),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "gettimeofday": (96, 169),
    "setitimer": (38, 103),
    "times": (100, 153),
    "getrusage": (98, 165),
    "getrandom": (318, 278),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "membarrier": (324, 283),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "gettid": (186, 178),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "uname": (63, 160),
    "sysinfo": (99, 179),
    "set_robust_list": (273, 99),
    "set_tid_address": (218, 96),
    "rseq": (334, 293),
}
_OPENAT = (257, 56)
_SIGACTION = (13, 134)
_CLONE = (56, 220)
_CLONE3 = (435, 435)
_IOCTL = (16, 29)
_PRLIMIT64 = (302, 261)

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


class _SockFprog(ctypes.Structure):
    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def _statement(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


_LOAD, _JEQ, _JSET, _RET, _JGE = 0x20, 0x15, 0x45, 0x06, 0x35
_ALLOW, _KILL = 0x7FFF0000, 0x80000000


def _errno_return(code: int) -> bytes:
    return _statement(_RET, 0x00050000 | code)


def _argument_low(index: int) -> bytes:
    return _statement(_LOAD, 16 + 8 * index)


def _argument_high(index: int) -> bytes:
    return _statement(_LOAD, 16 + 8 * index + 4)


def _rule(number: int, body: bytes) -> bytes:
    """If the system call is `number` run `body` (which must return), else fall to the next rule."""
    return _statement(_JEQ, number, 0, len(body) // 8) + body


class SeccompFilter:
    """A compiled system call allow-list, built once and installed in each forked child (about 20 us)."""

    def __init__(self, program: bytes) -> None:
        self._buffer = ctypes.create_string_buffer(program, len(program))
        self._fprog = _SockFprog(len(program) // 8, ctypes.addressof(self._buffer))
        self._address = ctypes.addressof(self._fprog)

    @classmethod
    def for_this_machine(cls) -> "SeccompFilter":
        """Raises OSError on an operating system or processor whose system call numbers are not known here."""
        machine = platform.machine()
        if sys.platform != "linux" or machine not in _AUDIT_ARCH:
            raise OSError(errno.ENOSYS, f"no seccomp filter for {sys.platform} on {machine}")
        column = 0 if machine == "x86_64" else 1
        allow = _statement(_RET, _ALLOW)
        parts = [
            _statement(_LOAD, 4),
            _statement(_JEQ, _AUDIT_ARCH[machine], 1, 0),
            _statement(_RET, _KILL),
            _statement(_LOAD, 0),
            # The x32 ABI shares AUDIT_ARCH_X86_64 and would offer every call under a second number.
            _statement(_JGE, 0x40000000, 0, 1),
            _errno_return(errno.ENOSYS),
        ]
        for numbers in _ALLOWED.values():
            number = numbers[column]
            if number is not None:
                parts.append(_rule(number, allow))
        parts.append(
            _rule(
                _OPENAT[column],
                _argument_low(2) + _statement(_JSET, _OPEN_WRITE_BITS, 0, 1) + _errno_return(errno.EACCES) + allow,
            )
        )
        parts.append(
            _rule(
                _CLONE[column],
                _argument_low(0) + _statement(_JSET, _CLONE_THREAD, 1, 0) + _errno_return(errno.EPERM) + allow,
            )
        )
        # What ends a call that takes too long (`inside.timer`) is neither ignored nor handled.
        parts.append(
            _rule(
                _SIGACTION[column],
                _argument_low(0) + _statement(_JEQ, signal.SIGPROF, 0, 1) + _errno_return(errno.EPERM) + allow,
            )
        )
        # ENOSYS makes glibc fall back from clone3, whose flags a filter cannot read, to clone.
        parts.append(_rule(_CLONE3[column], _errno_return(errno.ENOSYS)))
        parts.append(_rule(_IOCTL[column], _errno_return(errno.ENOTTY)))
        # Reading one's own limits is harmless (glibc does it for thread stacks); setting them is not, for root.
        # The stack is an exception: recursive solutions raise it, and the address space bounds it anyway.
        own_limits_only = (
            _argument_low(0)
            + _statement(_JEQ, 0, 1, 0)
            + _errno_return(errno.EPERM)
            + _argument_low(1)
            + _statement(_JEQ, resource.RLIMIT_STACK, 0, 1)
            + allow
            + b"".join(
                load + _statement(_JEQ, 0, 1, 0) + _errno_return(errno.EPERM)
                for load in (_argument_low(2), _argument_high(2))
            )
        )
        parts.append(_rule(_PRLIMIT64[column], own_limits_only + allow))
        parts.append(_errno_return(errno.EPERM))
        return cls(b"".join(parts))

    def install(self) -> None:
        """Locks the calling thread and all it starts; irreversible. Raises OSError if the kernel refuses."""
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, self._address)


def die_with_parent(parent_pid: int) -> None:
    """Asks the kernel to kill this process when its parent does; exits at once if that already happened."""
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(1)


def hide_memory() -> None:
    """Closes /proc/PID/mem and /proc/PID/fd of this process to others of the same user."""
    prctl(_PR_SET_DUMPABLE, 0)


def enter_private_namespaces() -> None:
    """Moves this single-threaded process into its own user, network and IPC namespace.

    Raises:
        OSError: Not permitted here (containers, Ubuntu 24.04's AppArmor, max_user_namespaces=0).
    """
    check(libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC), "unshare")


def drop_capabilities() -> None:
    """Gives up every capability, those of a user namespace included, and any way to regain one by exec.

    Raises:
        OSError: The kernel refuses.
    """
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    header = struct.pack("=Ii", 0x20080522, 0)
    check(libc.capset(header, bytes(24)), "capset")


def become_nobody(uid: int) -> None:
    """Changes root into the user and group `uid`, which should own no file and no process.

    Raises:
        OSError: Not root, or root without CAP_SETUID and CAP_SETGID.
    """
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def set_limits(*, cpu_s: int, memory_bytes: int) -> None:
    """Resource limits; none of them can be raised again under the seccomp filter.

    At `cpu_s` seconds of CPU comes SIGXCPU, which may be ignored, and a second later SIGKILL.

    There is no RLIMIT_NPROC: it counts the user's other processes (verl's threads would use it up) and does
    not hold for root. The seccomp filter refuses every new process instead, and threads are bounded by memory.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
