"""How good are vectors, how sure is that, and is one model better than another?"""
