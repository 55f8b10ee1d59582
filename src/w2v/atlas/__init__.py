"""Maps of spaces: points on a plane, their names, neighbours and colours, as a page that a browser opens from disk.

names, places, neighbours, colours ─▶ `Atlas` ─▶ `page`: one HTML file, all of it inside ─▶ a person
                                             ─▶ `parquet`: a table for Embedding Atlas
vectors ─▶ `layout`: few dimensions, by PCA or UMAP

Nothing here knows words from documents: `w2v.vectors.mapping` makes maps of words, `w2v.align.mapping` of two models
side by side, and `w2v.topics.charting` of topics with their documents and words.

A page loads nothing: its data are packed bytes, its scripts stand in it, and its policy forbids all else. Names come
out of the packed data and go into the page as text.
"""
