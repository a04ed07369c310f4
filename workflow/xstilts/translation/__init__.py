"""Train rows in another language: what is translated of a row, its labels in the translation, and
whether the translation is good enough.

    words, links            the words of a text; which words of two texts belong together
    spans, tags             an answer, tags of words: in the translation
    span_rows, tag_rows     the texts of a row, and the row that is made of their translations
"""
