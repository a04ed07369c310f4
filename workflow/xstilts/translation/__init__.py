"""Translation: train rows in English become rows of the same ids in another language.

`segments` cuts texts into what an engine reads, `blocks` has each distinct piece translated once
and goes on where it was killed, an engine (`command`, `ctranslate`, `toy`) turns lines into lines,
a page of `rows` says which texts a row has and what it is with others in their place. `controls`
makes of translated rows what a comparison needs beside them. Rows are written as `data.prepare`
writes them, so that all that reads rows reads these.

Answers and tags are found again by `spans` and `tags`, where need be by which `words` belong
together (`links`). `measures` says of each row how good its translation is, `filtering` which rows
stay.
"""
