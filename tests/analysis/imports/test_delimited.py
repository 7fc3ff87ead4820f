"""CSV of any habit: encoding, delimiter and decimal commas are guessed, and the guess is said."""

import pytest

from analysis.cli import main
from analysis.imports.delimited import canonical

PLAIN = "x,y\n1.5,2.25\n2.5,3.125\n"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (PLAIN.encode(), ""),
        (PLAIN.encode("utf-8-sig"), ""),
        (PLAIN.encode("utf-16"), "UTF-16"),
        (PLAIN.encode("utf-16-le"), "UTF-16-LE"),
        (PLAIN.encode("utf-16-be"), "UTF-16-BE"),
        (PLAIN.replace(",", ";").encode(), "semicolons"),
        (PLAIN.replace(",", "\t").encode(), "tabs"),
        (PLAIN.replace(",", "|").encode(), "bars"),
        (PLAIN.replace(",", "  ").encode(), "spaces"),
        (PLAIN.replace(",", ";").replace(".", ",").encode(), "4 numbers read with decimal commas (the first: 1,5)"),
        (b'x,y\n"1,5","2,25"\n"2,5","3,125"\n', "4 numbers read with decimal commas"),
    ],
)
def test_the_same_table_in_any_habit_reads_the_same_and_the_guess_is_said(data: bytes, words: str) -> None:
    text, said = canonical(data)
    assert text == PLAIN
    assert words in "; ".join(said)
    assert bool(words) == bool(said)


def test_latin_1_is_read_and_said_and_thousands_are_left_alone() -> None:
    assert canonical("x,modèle\n1,é\n".encode("latin-1")) == (
        "x,modèle\n1,é\n",
        ("read as WINDOWS-1252 text, not UTF-8",),
    )
    assert canonical(b'x;y\n1,122;"a"\n') == ('x,y\n"1,122",a\n', ("fields read as told apart by semicolons",))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\3\4" + bytes(range(256)) * 4, "binary, not text"),
        (b"x;y\n1,5;2.5\n", r"decimal commas \(1,5\) and points \(2.5\)"),
        (b"1,2\n3,4\n", "first line holds numbers alone"),
    ],
)
def test_what_cannot_be_guessed_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        canonical(data)


def test_fit_says_what_it_guessed(tmp_path, capsys) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x;y\n" + "".join(f"{x};{1 + 3 / x:.6f}\n".replace(".", ",") for x in range(1, 20)))
    assert main(["fit", str(path), "--law", "power_floor", "--x", "x", "--y", "y", "--draws", "0"]) == 0
    assert "told apart by semicolons" in capsys.readouterr().out
