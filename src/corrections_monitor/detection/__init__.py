"""The engine: telemetry columns and cases in, transitions of episodes out.

Theory of operation.  Two rules hold everywhere here:

1. *State, not edges.*  A family (place, silence, band, …) is asked what is true of a person now, given
   all that is known; what it wants is compared with the episodes that are open.  A curfew that begins
   with the person out, a restart or an edited order is therefore no special case.
2. *Most fixes change nothing.*  ``quiet.py`` proves that for nearly all rows of a batch with columns
   alone; only the others are judged one by one, in order of arrival, by code written to be read.  The
   proof may be switched off without changing a result (tests do so).

Where a person was is a *story*, told in order of event time whenever its fixes came (``story``): a fix out of
turn goes back to the chapter it falls in (``retell``), and the ledger is brought in step with what is told
(``fit``).  What a fix shows therefore does not depend on when, or together with what, it came.

The way of a row: ``engine.Engine.step`` → ``quiet.loud_people`` → ``place``/``silence``/``band``/… →
``ledger.Ledger`` (opens, updates and closes episodes) → a list of transitions in order of time.
"""
