"""Trust: what a change, a name and a badge may say, and who may say it."""
