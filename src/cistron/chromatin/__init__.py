"""The chromatin wing: histone marks around the transcription start site and expression."""
