#!/usr/bin/env python3
"""A long and bad wire between two hosts: each packet comes late, and some do not come.

    edge_wire.py NAME NAME DELAY_MS LOSS_PERCENT

It makes two tun devices and says `ready`; whoever started it moves them into the namespaces of the two hosts. Each
direction has the delay and the loss. It does what netem does, which the kernels of many virtual machines do not have.
The loss has a fixed seed, but which packet meets it depends on the time, so that runs differ.
"""
import collections
import fcntl
import os
import random
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 1, 0x1000
MOST_WAITING = 10_000  # packets; what comes when so many wait is lost, as on a router


def tun(name):
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return end


def main():
    ends = [tun(name) for name in sys.argv[1:3]]
    delay, loss = float(sys.argv[3]) / 1000, float(sys.argv[4]) / 100
    chance = random.Random(1)
    waiting = collections.deque()  # (when, where, packet), in the order of `when`, as the delay is the same for all
    print("ready", flush=True)
    while True:
        # A late millisecond of select would be a part of the delay, so that it is asked for less.
        rest = max(0.0, waiting[0][0] - time.monotonic()) if waiting else 1.0
        for end in select.select(ends, [], [], rest)[0]:
            try:
                packet = os.read(end, 65536)
            except OSError:  # the device is down: its host is not there yet, or not any more
                time.sleep(0.001)
                continue
            if chance.random() >= loss and len(waiting) < MOST_WAITING:
                waiting.append((time.monotonic() + delay, ends[1 - ends.index(end)], packet))
        while waiting and waiting[0][0] <= time.monotonic():
            _, end, packet = waiting.popleft()
            try:
                os.write(end, packet)
            except OSError:  # the device is down, or its host takes nothing more: the packet is lost
                pass


main()
