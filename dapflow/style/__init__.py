"""The one house style of transforms: the same tokens and comments, laid out anew."""
