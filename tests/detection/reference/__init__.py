"""The reference: what the detection engine must find, written to be read and not to be quick.

One fix, one person, one question at a time; lists, dicts and loops.  It shares with the engine the rows of
the case folder, the settings and the numbers of the evidence model; everything that follows from them is
written a second time, straight from the contract: geometry, hours, law, belief, silences, episodes.
Where the two disagree, one of them is wrong; the contract says which.

Three habits make it simple:

- *Time is walked, not skipped.*  Before each message and at the end, everybody is looked at, at every instant
  at which anything could have changed; a look asks what is true and changes nothing when nothing is new.
- *The law is a predicate.*  "Judged", "on leave", "must be inside": each is a plain question about an
  instant; since when and until when the answer holds is found by asking at every edge there is.
- *Late is told from the start.*  A fix older than one already seen makes the person's whole story be told
  again from the first fix, in order of event time; the episodes known are then moved to fit it.

``clerk.Reference`` is the way in.
"""
