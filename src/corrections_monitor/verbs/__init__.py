"""What each verb does.

Every function takes the parsed options and the configuration and returns the exit status; what goes wrong
is raised as FailedError or WrongCallError.  A module is imported when one of its verbs is called, so that
none waits for libraries that only others use.
"""
