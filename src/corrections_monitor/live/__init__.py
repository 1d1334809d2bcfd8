"""The live way: the same engine and rules as ``replay``, on the real clock, with a database behind them.

``monitor.Monitor`` is the loop: take → decode → admit → store → judge → decide → commit → acknowledge.
``recovery`` brings its state back from snapshot and journal; ``codec`` is their form.
"""
