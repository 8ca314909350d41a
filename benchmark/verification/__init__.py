"""Verification: what somebody else made is looked through, and its record is run again."""
