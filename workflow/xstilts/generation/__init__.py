"""Rows that a decoder writes, in any language: what it is asked for, what of its answers is a row.

    shapes      the fields of a row, by the format of its task
    template    a prompt's file, with fields in braces
    examples    the English train rows that a prompt shows
    rounds      what is asked, until there are as many rows of each label as are wanted
    answers     a row, or why an answer is none
    blocks      answers that a killed job goes on from
    toy         the grammar of the toy world in place of a decoder, with mistakes

May import data, toy and running. The decoder itself is `models.writer`.
"""
