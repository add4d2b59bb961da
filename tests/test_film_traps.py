"""Films that matchers confuse, and films that they fail to know again.

Each case is two listings as two sites give them, alone in their files: so nothing else in the files
helps. Below, whole catalogues of films of one name.
"""

# ruff: noqa: E501  a pair of films stands on one line
from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from pipelines.matching.link import link, read_listings

COLUMNS = ("id", "title", "year", "directors", "cast", "runtime", "kind", "original_title")


class Film(NamedTuple):
    """A listing as a site gives it; what is empty is not known."""

    title: str
    year: int | str = ""
    directors: str = ""
    cast: str = ""
    runtime: int | str = ""
    kind: str = "movie"
    original_title: str = ""


BENIGNI = "Roberto Benigni"
CHAN = ("Jackie Chan", "Jackie Chan|Maggie Cheung|Brigitte Lin")
WACHOWSKIS = ("Lana Wachowski|Lilly Wachowski", "Keanu Reeves|Laurence Fishburne")
RUSSOS = ("Anthony Russo|Joe Russo", "Robert Downey Jr.|Chris Evans")
STALLONE = "Sylvester Stallone|Talia Shire"
SODERBERGH = ("Steven Soderbergh", "Benicio Del Toro|Demián Bichir")
POTTER = ("Chris Columbus", "Daniel Radcliffe|Rupert Grint")
MAZES = [
    Film("The Maze Runner", 2014, "Wes Ball", "Dylan O'Brien|Kaya Scodelario", 113),
    Film("Maze Runner: The Scorch Trials", 2015, "Wes Ball", "Dylan O'Brien|Kaya Scodelario", 132),
]

SAME = [
    # Two of one family made it, and each site names one.
    (Film("Burn After Reading", 2008, "Joel Coen"), Film("Burn After Reading", 2008, "Ethan Coen")),
    # Casts of which two sites name other people.
    (
        Film("The Green Inferno", 2013, "", "Lorenza Izzo|Ariel Levy", 100),
        Film("The Green Inferno", 2014, "", "Sky Ferreira|Daryl Sabara", 100),
    ),
    # A cast in the order of the alphabet, and the first of the billing.
    (
        Film("Two Brothers", 2004, "Jean-Jacques Annaud", "Alain Flick|Annop Varapanya|Bernard Flavien|Caroline Wildi|Christophe Cheysson|David Gant|Freddie Highmore|Guy Pearce", 105),
        Film("Deux frères", 2004, "Jean-Jacques Annaud", "Guy Pearce|Jean-Claude Dreyfus|Philippine Leroy-Beaulieu|Freddie Highmore", 109),
    ),
    # Titles that are written in another way.
    (Film("Se7en", 1995, "David Fincher", runtime=127), Film("Seven", 1995, "David Fincher")),
    (Film("Se7en", 1995), Film("Seven (a.k.a. Se7en)", 1995)),
    (Film("M", 1931, "Fritz Lang"), Film("M (M - Eine Stadt sucht einen Mörder)", 1931, "Fritz Lang")),
    (Film("Up", 2009, "Pete Docter"), Film("Up", 2009, "Pete Docter|Bob Peterson")),
    (Film("300", 2006), Film("300", 2006)),
    (Film("1776 (1972)"), Film("1776", 1972)),
    (Film("1776 (1972 film)"), Film("1776 (1972) (Musical)")),
    (Film("7th Seal (Det sjunde inseglet)", 1957), Film("Seventh Seal (Det sjunde inseglet)", 1957)),
    (Film("Nightmare City 2035", 2008), Film("Nightmare City 2035", 2008)),
    (Film("12 Monkeys", 1995), Film("Twelve Monkeys", 1995)),
    (Film("8½", 1963), Film("8 1/2", 1963)),
    (Film("One Hundred and One Dalmatians", 1961), Film("101 Dalmatians", 1961)),
    (Film("Nineteen Eighty-Four", 1984), Film("1984", 1984)),
    (Film("Alien³", 1992), Film("Alien 3", 1992)),
    (Film("Rocky II", 1979), Film("Rocky 2", 1979)),
    (Film("Kill Bill: Vol. 1", 2003), Film("Kill Bill Volume One", 2003)),
    (Film("Ocean's Eleven", 2001, "Steven Soderbergh"), Film("Ocean’s 11", 2001, "Steven Soderbergh")),
    (Film("The Matrix", 1999), Film("Matrix, The (1999)", 1999)),
    (Film("The Crow: Wicked Prayer", 2005), Film("Crow, The: Wicked Prayer", 2005)),
    (Film("Monsters vs. Aliens", 2009), Film("Monsters vs Aliens", 2009)),
    (Film("Romeo + Juliet", 1996), Film("William Shakespeare's Romeo & Juliet", 1996)),
    (Film("Amélie", 2001), Film("Amelie (Le Fabuleux destin d'Amélie Poulain)", 2001)),
    (Film("Солярис", 1972, "Андрей Тарковский"), Film("Solaris", 1972, "Andrei Tarkovsky")),
    (Film("AmÃ©lie", 2001), Film("Amélie", 2001)),
    (Film("\u200fUp\u200e 🎈", 2009), Film("Up", 2009)),
    (Film("8½", 1963), Film("8 1/2 (8½)", 1963)),
    (Film("Leon", 1994), Film("Léon: The Professional (a.k.a. The Professional) (Léon)", 1994)),
    (Film("Ford v Ferrari", 2019), Film("Ford vs. Ferrari", 2020)),
    (Film("Lovely & Amazing", 2001), Film("Lovely and Amazing", 2002)),
    (Film("Jackass Number Two", 2006), Film("Jackass 2", 2006)),
    (Film("Back to the Future Part II", 1989), Film("Back to the Future 2", 1990)),
    (Film("Dune: Part Two", 2024), Film("Dune 2", 2024)),
    (Film("Ghost Dog: Way of the Samurai", 2000), Film("Ghost Dog: The Way of the Samurai", 1999)),
    (Film("I vitelloni", 1953), Film("Vitelloni, I", 1954)),
    (Film("ET: The Extra-Terrestrial", 1982), Film("E.T. the Extra-Terrestrial", 1983)),
    # People whose names are written in another way, where years differ too or the title is another.
    (Film("Dead or Alive", 2007, "Corey Yuen"), Film("Dead or Alive", 2005, "Corey Yuen Kwai")),
    (Film("Carrie", 1976, "De Palma, Brian"), Film("Carrie", 1974, "Brian De Palma")),
    (Film("October", 1928, "Eisenstein, Sergei & Grigori Aleksandrov"), Film("October", 1926, "Sergei Eisenstein")),
    (Film("Nine Rooms", 1995, "Ann Roe / Bo Díaz"), Film("Nine Rooms", 1997, "Bo Díaz")),
    (Film("Nine Rooms", 1995, "['Ann Roe', 'Bo Díaz']"), Film("Nine Rooms", 1997, "Ann Roe")),
    (Film("Nine Rooms", 1995, '["Ann Roe"]'), Film("Nine Rooms", 1997, "Ann Roe")),
    (Film("Easy Rider", 1969, "Hopper"), Film("Easy Rider", 1970, "Dennis Hopper")),
    (Film("Bound", 1996, "The Wachowski Brothers"), Film("Bound", 1997, WACHOWSKIS[0])),
    (Film("Bound", 1996, "The Wachowskis"), Film("Bound", 1997, WACHOWSKIS[0])),
    # A part of the title is left out.
    (Film("Dredd 3D", 2012), Film("Dredd", 2012)),
    (Film("Batman v Superman: Dawn of Justice", 2016), Film("Batman vs. Superman", 2016)),
    (Film("Lee Daniels' The Butler", 2013), Film("The Butler", 2013)),
    (Film("John Carpenter's The Thing", 1982), Film("Thing, The", 1982)),
    (
        Film("Star Wars", 1977, "George Lucas"),
        Film("Star Wars: Episode IV - A New Hope", 1977, "George Lucas"),
    ),
    (Film("Dune", 2021, "Denis Villeneuve"), Film("Dune: Part One", 2021, "Denis Villeneuve")),
    (Film("It", 2017, "Andy Muschietti"), Film("It: Chapter One", 2017, "Andy Muschietti")),
    (
        Film("Mission: Impossible - Dead Reckoning Part One", 2023, "Christopher McQuarrie"),
        Film("Mission: Impossible – Dead Reckoning", 2023, "Christopher McQuarrie"),
    ),
    (
        Film("Ghostbusters", 2016, "Paul Feig"),
        Film("Ghostbusters: Answer the Call", 2016, "Paul Feig"),
    ),
    (
        Film("Léon: The Professional", 1994, "Luc Besson", runtime=110),
        Film("The Professional", 1994, "Luc Besson", runtime=110),
    ),
    # Another name altogether: people, year and runtime carry it.
    (
        Film("22 Bullets", 2010, "Richard Berry", "Jean Reno|Kad Merad", 117),
        Film("L'immortel", 2010, "Richard Berry", "Jean Reno|Marina Foïs|Kad Merad", 117),
    ),
    (
        Film("Léon", 1994, "Luc Besson", "Jean Reno|Natalie Portman", 110),
        Film("The Professional", 1994, "Luc Besson", "Jean Reno|Gary Oldman", 110),
    ),
    (
        Film("Harry Potter and the Philosopher's Stone", 2001, *POTTER, 152),
        Film("Harry Potter and the Sorcerer's Stone", 2001, *POTTER, 152),
    ),
    (
        Film("Crouching Tiger, Hidden Dragon", 2000, "Ang Lee", "Chow Yun-Fat|Michelle Yeoh", 120),
        Film("Wo hu cang long", 2000, "Ang Lee", "Yun-Fat Chow|Michelle Yeoh", 120),
    ),
    (
        Film("Spirited Away", 2001, "Hayao Miyazaki", original_title="千と千尋の神隠し"),
        Film("千と千尋の神隠し", 2001, "宮崎 駿"),
    ),
    # Years of a festival, of a release elsewhere, of a re-release.
    (
        Film("Life Is Beautiful", 1997, BENIGNI, runtime=116, original_title="La vita è bella"),
        Film("La vita è bella", 1998, BENIGNI, runtime=116),
    ),
    (
        Film("Terrifier", 2016, "Damien Leone", runtime=85),
        Film("Terrifier", 2018, "Damien Leone", runtime=84),
    ),
    (
        Film("Police Story", 1985, *CHAN, 101),
        Film("Police Story (re-release)", 2019, *CHAN, 101),
    ),
    # Names of people, written in other ways.
    (Film("Snowpiercer", 2013, "Bong Joon Ho"), Film("Snowpiercer", 2014, "Joon-ho Bong")),
    (
        Film("Birdman", 2014, "Alejandro G. Iñárritu"),
        Film("Birdman or (The Unexpected Virtue of Ignorance)", 2014, "Alejandro González Iñárritu"),
    ),
    (Film("Skyfall", 2012, "Sam Mendes"), Film("Skyfall", 2013, "Mendes, Sam")),
    (Film("Fargo", 1996, "Ethan and Joel Coen"), Film("Fargo", 1997, "Joel Coen")),
    (Film("Hero", 2002, "Zhang Yimou", "Jet Li"), Film("Hero", 2003, "张艺谋", "李连杰")),
    (Film("New York Stories", 1989, "Various"), Film("New York Stories", 1990, "Woody Allen")),
    # Cuts, and what sites call a film.
    (
        Film("The Lord of the Rings: The Two Towers", 2002, "Peter Jackson", runtime=179),
        Film(
            "Lord of the Rings: The Two Towers, The (Extended Edition)", 2002, "Peter Jackson",
            runtime=235,
        ),
    ),
    (Film("Avatar", 2009, "James Cameron"), Film("Avatar (Widescreen) [Blu-ray]", 2009, "J. Cameron")),
    (
        Film("Duel", 1971, "Steven Spielberg"),
        Film("Duel", 1971, "Steven Spielberg", kind="tvMovie"),
    ),
    (Film("Love Potion #9", 1992), Film("Love Potion No. 9", 1992)),
    (Film("Shark Night 3D", 2011), Film("Shark Night", 2011)),
    (Film("Charlie Countryman", 2013), Film("The Necessary Death of Charlie Countryman", 2013)),
    (Film("Terminator 2: Judgement Day", 1991), Film("Terminator 2: Judgment Day", 1991)),
    (Film("Carrie 2: The Rage", 1999), Film("The Rage: Carrie 2", 1999)),
    # Another name: the length to the minute beside the director.
    (Film("The Trial", 1962, "Orson Welles", runtime=119), Film("Le procès", 1962, "Orson Welles", runtime=119)),
    # Another director, as one of them is written or credited: the year and the length agree.
    (
        Film("The Revenant", 2016, "Alejandro G. Irritu", runtime=156),
        Film("The Revenant", 2015, "Alejandro González Iñárritu", runtime=156),
    ),
    # A release two years after a festival: the length agrees.
    (Film("Mononoke-hime", 1997, runtime=134), Film("Princess Mononoke (Mononoke-hime)", 1999, runtime=133)),
    # A part of a title, or other letters, where nobody is known: the length agrees.
    (Film("Big Trouble", 2002, runtime=85), Film("Big Trouble in Town", 2002, runtime=85)),
    (Film("Lilja 4-ever", 2002, runtime=109), Film("Lilya 4-Ever", 2002, runtime=109)),
]  # fmt: skip

DIFFERENT = [
    (Film("Fargo", 2014, kind="TV Shows"), Film("Fargo", 2014, kind="Movies")),
    # Makers of one family name.
    (Film("The Host", 2006, "Ann Lee"), Film("The Host", 2013, "Bo Lee")),
    (Film("Red Road", 2006, "Ann Lee", runtime=113), Film("Ocean Tide", 2006, "Bo Lee", runtime=90)),
    # What stands in brackets and is no name.
    (Film("Ali (film)", 2001), Film("Blow (film)", 2001)),
    (Film("The Office (U.S.)", 2005), Film("Top Gear (U.S.)", 2005)),
    (Film("Cyborg (Documentary)", 2015), Film("Ocean (Documentary)", 2015)),
    # One name, other films.
    (Film("Soul", 2020, "Pete Docter", runtime=100), Film("Mr. Soul!", 2018, "Melissa Haizlip", runtime=104)),
    (Film("Soul", 2020), Film("Mr. Soul!", 2018)),
    (Film("Dune", 1984, "David Lynch"), Film("Dune", 2021, "Denis Villeneuve")),
    (Film("Dune", 1984), Film("Dune", 2021)),
    (Film("Moonlight", 2005), Film("Moonlight", 2016)),
    (Film("Black Christmas", 1974, "Bob Clark"), Film("Black Christmas", 2006, "Glen Morgan")),
    (Film("Black Christmas", 2006), Film("Black Christmas", 2019)),
    (Film("Serenity", 2005, "Joss Whedon"), Film("Serenity", 2019, "Steven Knight")),
    (Film("M", 1931, "Fritz Lang"), Film("M", 1951, "Joseph Losey")),
    (Film("Psycho", 1960, "Alfred Hitchcock", runtime=109), Film("Psycho", 1998, "Gus Van Sant", runtime=104)),
    (Film("King Kong", 1976), Film("King Kong", 2005)),
    (Film("The Thing", 1982, "John Carpenter"), Film("The Thing", 2011, "Matthijs van Heijningen Jr.")),
    (Film("The Thing from Another World", 1951), Film("The Thing", 1982)),
    (
        Film("Halloween", 1978, "John Carpenter", "Jamie Lee Curtis|Donald Pleasence", 91),
        Film("Halloween", 2018, "David Gordon Green", "Jamie Lee Curtis|Judy Greer", 106),
    ),
    (Film("Ocean's Eleven", 2001, "Steven Soderbergh"), Film("Ocean's 11", 1960, "Lewis Milestone")),
    (Film("Cinderella", 1950), Film("Cinderella", 2015)),
    (
        Film("The Man Who Knew Too Much", 1934, "Alfred Hitchcock", "Leslie Banks", 75),
        Film("The Man Who Knew Too Much", 1956, "Alfred Hitchcock", "James Stewart", 120),
    ),
    (
        Film("War of the Worlds", 2005, "Steven Spielberg", runtime=116),
        Film("H.G. Wells' War of the Worlds", 2005, "David Michael Latt", runtime=93),
    ),
    (Film("Nightmare City 2035", 2008), Film("Nightmare City", 1980)),
    (Film("Up", 2009), Film("Step Up", 2006)),
    (Film("Kill Bill: Vol. 1", 2003), Film("Kill Bill 2", 2003)),
    # Sequels, and other films of the same people.
    (Film("Alien", 1979, "Ridley Scott", "Sigourney Weaver"), Film("Aliens", 1986, "James Cameron", "Sigourney Weaver")),
    (Film("Alien", 1979, "Ridley Scott", "Sigourney Weaver"), Film("Alien³", 1992, "David Fincher", "Sigourney Weaver")),
    (
        Film("Rocky", 1976, "John G. Avildsen", STALLONE, 120),
        Film("Rocky II", 1979, "Sylvester Stallone", STALLONE, 119),
    ),
    (
        Film("Rocky II", 1979, "Sylvester Stallone", STALLONE, 119),
        Film("Rocky III", 1982, "Sylvester Stallone", STALLONE, 99),
    ),
    (
        Film("Kill Bill: Vol. 1", 2003, "Quentin Tarantino", "Uma Thurman|David Carradine", 111),
        Film("Kill Bill: Vol. 2", 2004, "Quentin Tarantino", "Uma Thurman|David Carradine", 137),
    ),
    (Film("Ocean's 8", 2018), Film("Ocean's Eleven", 2001)),
    (
        Film("Harry Potter and the Philosopher's Stone", 2001, *POTTER, 152),
        Film("Harry Potter and the Chamber of Secrets", 2002, *POTTER, 161),
    ),
    (Film("Avengers: Infinity War", 2018, *RUSSOS, 149), Film("Avengers: Endgame", 2019, *RUSSOS, 181)),
    (
        Film("Star Wars: Episode IV - A New Hope", 1977, "George Lucas"),
        Film("Star Wars: Episode I - The Phantom Menace", 1999, "George Lucas"),
    ),
    (
        Film("Dune", 2021, "Denis Villeneuve", "Timothée Chalamet|Rebecca Ferguson", 155),
        Film("Dune: Part Two", 2024, "Denis Villeneuve", "Timothée Chalamet|Rebecca Ferguson", 166),
    ),
    (
        Film("It", 2017, "Andy Muschietti", "Bill Skarsgård|Jaeden Martell", 135),
        Film("It Chapter Two", 2019, "Andy Muschietti", "Bill Skarsgård|Jaeden Martell", 169),
    ),
    (
        Film("Terrifier", 2016, "Damien Leone", "David Howard Thornton", 85),
        Film("Terrifier 2", 2022, "Damien Leone", "David Howard Thornton", 138),
    ),
    (Film("300", 2006, "Zack Snyder"), Film("300: Rise of an Empire", 2014, "Noam Murro")),
    (Film("The Fast and the Furious", 2001), Film("Fast & Furious", 2009)),
    (Film("Spy Kids", 2001, "Robert Rodriguez"), Film("Spy Kids 3D", 2003, "Robert Rodriguez")),
    # What is about a film, or shares its name alone.
    (Film("Alien", 1979, "Ridley Scott", runtime=117), Film("The Making of 'Alien'", 1979, runtime=30)),
    (Film("The Nightmare Before Christmas", 1993), Film("The Making of The Nightmare Before Christmas", 1993)),
    (
        Film("The Exorcist", 1973, "William Friedkin"),
        Film("Leap of Faith: William Friedkin on The Exorcist", 2019, "Alexandre O. Philippe"),
    ),
    (
        Film("Whiplash", 2014, "Damien Chazelle", "Miles Teller|J.K. Simmons", 106),
        Film("Whiplash", 2013, "Damien Chazelle", "Johnny Simmons|J.K. Simmons", 18, "short"),
    ),
    (Film("Saw", 2004, "James Wan", runtime=103), Film("Saw", 2003, "James Wan", runtime=9)),
    (
        Film("King Kong", 2005, "Peter Jackson", "Naomi Watts|Jack Black"),
        Film("King Kong", 2005, "Michel Ancel", "Naomi Watts|Jack Black", kind="videoGame"),
    ),
    (Film("Avatar", 2009), Film("Avatar", 2009, kind="game")),
    (Film("Limitless", 2011), Film("Limitless", 2011, kind="tvSeries")),
    # Volumes that were made together, numbered in Roman letters.
    (
        Film("Nymphomaniac: Vol. I", 2013, "Lars von Trier", runtime=117),
        Film("Nymphomaniac: Vol. II", 2013, "Lars von Trier", runtime=123),
    ),
    # Parodies: another word of nearly the same letters.
    (Film("Night of the Living Dead", 1990), Film("Night of the Living Bread", 1990)),
    (Film("Bar Girls", 1994, runtime=93), Film("Bad Girls", 1994, runtime=99)),
]  # fmt: skip

ASK = [
    # Makers of one family name, and another year, another length or other actors.
    (Film("Home", 2009, "Ann Lee", "Ida Poe|Jo Doe"), Film("Home", 2009, "Bo Lee", "Ed Oz|Al Ito")),
    (Film("Home", 2008, "Ann Lee"), Film("Home", 2009, "Bo Lee")),
    (Film("Home", 2009, "Ann Lee", runtime=90), Film("Home", 2009, "Bo Lee", runtime=130)),
    # One name and year, and other makers.
    (Film("Burn After Reading", 2008, "Joel Coen"), Film("Burn After Reading", 2008, "Ann Lee")),
    # Two films of one name, a year apart, with other actors.
    (
        Film("Wanted", 2008, "", "Angelina Jolie|James McAvoy", 110),
        Film("Wanted", 2009, "", "Salman Khan|Ayesha Takia", 129),
    ),
    (Film("The Protector", 2005, "", "Tony Jaa"), Film("The Protector", 2006, "", "Jackie Chan")),
    # A language in brackets, which another film has too.
    (Film("Premam (Malayalam)", 2015), Film("Baahubali (Malayalam)", 2015)),
    # A phrase of which a word is another film's name, or an owner of one word who is none of its makers.
    (Film("The Double", 2011), Film("The Devil's Double", 2011)),
    (Film("Together", 2000), Film("Everything Put Together", 2000)),
    (Film("Band of Brothers", 2001), Film("The Brothers", 2001)),
    (Film("The Crossing", 1990), Film("Miller's Crossing", 1990)),
    (Film("Wonderland", 1999), Film("Alice in Wonderland", 1999)),
    (Film("Lost Souls", 2000), Film("The City of Lost Souls", 2000)),
    (Film("Just Looking", 2000), Film("Things You Can Tell Just by Looking at Her", 2000)),
    # Nothing but a title, or a title and a length.
    (Film("Skyfall"), Film("Skyfall")),
    (Film("Home"), Film("Home")),
    (Film("Skyfall", runtime=143), Film("Skyfall", runtime=143)),
    # The director's own remake, or a re-release: more is needed to tell.
    (Film("Police Story", 1985, "Jackie Chan"), Film("Police Story", 2019, "Jackie Chan")),
    (Film("Funny Games", 1997, "Michael Haneke"), Film("Funny Games", 2007, "Michael Haneke")),
    # A wide release two years on, or another film: nobody is known.
    (Film("Terrifier", 2016), Film("Terrifier", 2018)),
    # Parts that are named, of one year and one cast.
    (
        Film("The Matrix Reloaded", 2003, *WACHOWSKIS, 138),
        Film("The Matrix Revolutions", 2003, *WACHOWSKIS, 129),
    ),
    # Parts that were made together.
    (Film("Che: Part One", 2008, *SODERBERGH, 134), Film("Che: Part Two", 2008, *SODERBERGH, 135)),
    (
        Film("The Best of Youth", 2003, "Marco Tullio Giordana", "Luigi Lo Cascio", 366),
        Film("The Best of Youth: Part 2", 2003, "Marco Tullio Giordana", "Luigi Lo Cascio", 180),
    ),
    # A sequel of the next year.
    (MAZES[0], MAZES[1]),
    (MAZES[0]._replace(runtime=""), MAZES[1]._replace(runtime="")),
    # Two films of one year by one director, with one actor or nobody known of both.
    (Film("Flags of Our Fathers", 2006, "Clint Eastwood"), Film("Letters from Iwo Jima", 2006, "Clint Eastwood")),
    (
        Film("Exiled", 2006, "Johnnie To", "Simon Yam|Josie Ho", 110),
        Film("黑社会2：以和为贵", 2006, "Johnnie To", "Simon Yam|Louis Koo", 92),
    ),
    # Nobody who is named.
    (Film("Dreams", 2010, "Various"), Film("Dreams", 2012, "Various")),
    # Directors' own remakes with other actors; remakes with one of the actors.
    (
        Film("The Vanishing", 1988, "George Sluizer", "Gene Bervoets|Johanna ter Steege", 107),
        Film("The Vanishing", 1993, "George Sluizer", "Jeff Bridges|Kiefer Sutherland", 109),
    ),
    (
        Film("Death at a Funeral", 2007, cast="Matthew Macfadyen|Peter Dinklage"),
        Film("Death at a Funeral", 2010, cast="Chris Rock|Peter Dinklage"),
    ),
    # A title and an actor: the film, and the series that was made of it.
    (Film("Wolf Creek", cast="John Jarratt|Lucy Fry"), Film("Wolf Creek", 2005, cast="John Jarratt|Kestie Morassi")),
    # Two films of one year by one director, of about one length.
    (
        Film("High Plains Drifter", 1973, "Clint Eastwood", runtime=105),
        Film("Breezy", 1973, "Clint Eastwood", runtime=108),
    ),
    (Film("WarGames", 1983, "John Badham", runtime=110), Film("Blue Thunder", 1983, "John Badham", runtime=109)),
    (
        Film("My Cousin Vinny", 1992, "Jonathan Lynn", "Joe Pesci|Fred Gwynne", 120),
        Film("The Distinguished Gentleman", 1992, "Jonathan Lynn", "Eddie Murphy|Fred Gwynne", 112),
    ),
    # A word of another title, the year and the length, and nobody known.
    (Film("Special Thanks to Roy London", 2005, runtime=91), Film("London", 2005, runtime=92)),
    (Film("Love", 2005, runtime=90), Film("Dirty Love", 2005, runtime=91)),
    (Film("Big Trouble", 1986, runtime=93), Film("Big Trouble in Little China", 1986, runtime=99)),
    (Film("Prisoners", 2013), Film("Prisoners of the Sun", 2013)),
    (Film("The Grudge", 2004, runtime=92), Film("Ju-on: The Grudge", 2003, runtime=92)),
    # Nearly the same, and nobody known.
    (Film("Submarine", 2010, runtime=97), Film("Submarino", 2010, runtime=105)),
    (Film("Bleeding Hearts", 2015), Film("Bleeding Heart", 2015)),
    (Film("Resident Evil", 2002), Film("Evil Resident", 2002)),
    (Film("Terminator 2: Judgement Day", 1991), Film("Terminator 2: Judgment Day", 1992)),
    # The film of next year: a word more, another length, or a short beside one of unknown length.
    (
        Film("I Know What You Did Last Summer", 1997, runtime=101),
        Film("I Still Know What You Did Last Summer", 1998, runtime=100),
    ),
    (
        Film("Look Who's Talking", 1989, "Amy Heckerling", runtime=93),
        Film("Look Who's Talking Too", 1990, "Amy Heckerling", runtime=81),
    ),
    (Film("Restless", 2011, runtime=91), Film("Restless", 2012, runtime=180)),
    (Film("Eden", 2014, runtime=131), Film("Eden", 2015, runtime=110)),
    (Film("Titanic", 1997, runtime=194), Film("Titanic", 1996, runtime=173)),
    (Film("Hitch", 2004, runtime=12), Film("Hitch", 2005)),
    # A director's film and its sequel, without years.
    (
        Film("National Treasure", directors="Jon Turteltaub", runtime=131),
        Film("National Treasure: Book of Secrets", directors="Jon Turteltaub", runtime=124),
    ),
    (
        Film("National Treasure", directors="Jon Turteltaub"),
        Film("National Treasure: Book of Secrets", directors="Jon Turteltaub"),
    ),
    # Parts that have little but their number's place in common.
    (
        Film("The Toxic Avenger Part II", 1989, "Michael Herz", "Ron Fazio|Phoebe Legere", 96),
        Film(
            "The Toxic Avenger Part III: The Last Temptation of Toxie", 1989, "Michael Herz",
            "Ron Fazio|Phoebe Legere", 102,
        ),
    ),
    # One name and one year, and half the length, or another director.
    (Film("Aladdin", 1992, runtime=90), Film("Aladdin", 1992, runtime=45)),
    (
        Film("Harry Potter and the Deathly Hallows: Part I", 2010, "Matt Birch"),
        Film("Harry Potter and the Deathly Hallows: Part 1", 2010, "David Yates", runtime=146),
    ),
    (
        Film("Finders Keepers", 2015, "Bryan Carberry|Clay Tweel", runtime=82),
        Film("Finders Keepers", 2014, "Alexander Yellen", runtime=85),
    ),
    # Directors who remade their own short or film a few years later.
    (Film("Lights Out", 2013, "David F. Sandberg"), Film("Lights Out", 2016, "David F. Sandberg")),
    (Film("LOL", 2012, "Lisa Azuelos"), Film("LOL (Laughing Out Loud)", 2008, "Lisa Azuelos")),
]  # fmt: skip


def file_of(path: Path, listings: list[Film]) -> pd.DataFrame:
    """Listings as a file gives them; each one's id is its number."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        rows = csv.writer(handle)
        rows.writerow(COLUMNS)
        rows.writerows((number, *listing) for number, listing in enumerate(listings))
    return read_listings(path)


def answer(folder: Path, one: Film, other: Film) -> str:
    """What two files of one listing each come to; `different` where no pair is given."""
    linked = link(file_of(folder / "a.csv", [one]), file_of(folder / "b.csv", [other]))
    return str(linked["answer"].iloc[0]) if len(linked) else "different"


CASES = [
    (*pair, said)
    for pairs, said in ((SAME, "same"), (DIFFERENT, "different"), (ASK, "ask"))
    for pair in pairs
]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    CASES,
    ids=[f"{one.title} {one.year}/{other.title} {other.year}" for one, other, _ in CASES],
)
def test_two_listings_are_known_to_be_one_film_or_not(
    one: Film, other: Film, expected: str, tmp_path: Path
) -> None:
    assert answer(tmp_path, one, other) == expected
    assert answer(tmp_path, other, one) == expected


# --- several films of one name ------------------------------------------------------------------

HALLOWEEN = [Film("Halloween", 1978), Film("Halloween", 2007), Film("Halloween", 2018)]
PARTS = [
    Film("Harry Potter and the Deathly Hallows: Part 1", 2010, "David Yates", runtime=146),
    Film("Harry Potter and the Deathly Hallows: Part 2", 2011, "David Yates", runtime=130),
]
PARTS_ELSEWHERE = [
    Film("Harry Potter and the Deathly Hallows: Part I", 2010, "David Yates", runtime=146),
    Film("Harry Potter and the Deathly Hallows: Part II", 2011, "David Yates", runtime=130),
]
MATRICES = [
    Film("The Matrix", 1999, *WACHOWSKIS, 136),
    Film("The Matrix Reloaded", 2003, *WACHOWSKIS, 138),
    Film("The Matrix Revolutions", 2003, *WACHOWSKIS, 129),
]
YEARS_AFTER = [film._replace(year=int(film.year) + 1) for film in HALLOWEEN]
NINES = [Film("9", 2009), Film("Nine", 2009)]
MAZES_ELSEWHERE = [MAZES[0], MAZES[1]._replace(title="The Scorch Trials", cast="Lili Taylor")]
RIGBYS = [
    Film(f"The Disappearance of Eleanor Rigby: {whom}", year, "Ned Benson", "James McAvoy")
    for whom, year in (("Him", 2013), ("Her", 2013), ("Them", 2014))
]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (HALLOWEEN, HALLOWEEN),
        (HALLOWEEN, YEARS_AFTER),
        (PARTS, PARTS_ELSEWHERE),
        (MATRICES, MATRICES),
        (NINES, NINES),
        (MAZES, MAZES_ELSEWHERE),
        (RIGBYS, RIGBYS),
    ],
)
def test_each_of_several_films_is_matched_with_itself(
    ours: list[Film], theirs: list[Film], tmp_path: Path
) -> None:
    linked = link(file_of(tmp_path / "a.csv", ours), file_of(tmp_path / "b.csv", theirs))
    same = linked[linked["answer"] == "same"]
    found = sorted(zip(same["a"], same["b"], strict=True))
    assert found == [(str(number), str(number)) for number in range(len(ours))]


def test_where_two_listings_fit_equally_well_a_person_is_asked(tmp_path: Path) -> None:
    two = [Film("Emma", 1996, "Douglas McGrath"), Film("Emma", 1996, "Diarmuid Lawrence")]
    linked = link(
        file_of(tmp_path / "a.csv", [Film("Emma", 1996)]), file_of(tmp_path / "b.csv", two)
    )
    assert linked["answer"].tolist() == ["ask", "ask"]
    assert linked["probability"].between(0.3, 0.5).all()


BLADE_RUNNER = Film("Blade Runner", 1982, "Ridley Scott", "Harrison Ford|Rutger Hauer", 117)


@pytest.mark.parametrize(
    ("film", "again"),
    [
        (BLADE_RUNNER, {"title": "Blade Runner: The Final Cut", "year": 1983, "runtime": 118}),
        (BLADE_RUNNER, {"directors": "", "cast": ""}),
        (Film("Invasion of the Bee Girls", 1973, runtime=85), {}),
    ],
)
def test_two_listings_of_one_film_on_one_source_are_both_that_film(
    film: Film, again: dict[str, str | int], tmp_path: Path
) -> None:
    cuts = [film, film._replace(**again)]  # type: ignore[arg-type]
    linked = link(file_of(tmp_path / "a.csv", [film]), file_of(tmp_path / "b.csv", cuts))
    assert linked["answer"].tolist() == ["same", "same"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Film("Home", 2015, "张艺谋", runtime=90), Film("Home", 2015, "John Doe", runtime=91)),
        (Film("Home", 2015, runtime=90), Film("Home", 2015, runtime=90)),
        (
            Film("The Long Homecoming", 2015, "John Doe", runtime=90),
            Film("The Long Homecoming", 2014, runtime=91),
        ),
    ],
)
def test_two_films_of_one_name_are_not_taken_for_one_because_nobody_is_known(
    one: Film, other: Film, tmp_path: Path
) -> None:
    ours = file_of(tmp_path / "a.csv", [one._replace(directors="")])
    linked = link(ours, file_of(tmp_path / "b.csv", [one, other]))
    assert linked["answer"].tolist() != ["same", "same"]


def test_a_sequel_does_not_take_the_place_of_a_film_that_is_missing(tmp_path: Path) -> None:
    ours = [Film("Toy Story", 1995, "John Lasseter", "Tom Hanks|Tim Allen", 81)]
    theirs = [
        Film("Toy Story 2", 1999, "John Lasseter", "Tom Hanks|Tim Allen", 92),
        Film("Toy Story 3", 2010, "Lee Unkrich", "Tom Hanks|Tim Allen", 103),
    ]
    linked = link(file_of(tmp_path / "a.csv", ours), file_of(tmp_path / "b.csv", theirs))
    assert "same" not in linked["answer"].tolist()
