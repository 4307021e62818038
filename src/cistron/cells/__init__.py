"""The cells wing: expression of unseen genes in unseen cells."""
