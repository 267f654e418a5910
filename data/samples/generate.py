#!/usr/bin/env python3
"""Makes the text samples, always the same bytes: `python3 data/samples/generate.py`.

All personal data is made up: names by chance, e-mail at reserved domains (RFC 2606), telephone numbers of ranges that
are kept for fiction, card numbers of the networks' own tests, addresses of documentation ranges (RFC 5737, 3849).
people.redacted.csv is what the built-in redact must answer; it is made here, from where the data was put, and not by
looking for it.
"""
import gzip
import json
import pathlib
import random

here = pathlib.Path(__file__).parent
rng = random.Random(20251107)

FIRST = "Ada Ben Chloé Dmitri Elif Femi Grace Hiro Ines Jörg Kofi Lena Mateo Nadia Omar Priya Quinn Rosa Sven Tara".split()
LAST = "Abbot Brandt Castillo Dubois Eriksen Fischer Garcia Haddad Ivanov Jansen Kaya Lindgren Moreau Novak Okafor".split()
CARDS = ["4111 1111 1111 1111", "4242424242424242", "5555-5555-5555-4444", "378282246310005", "6011 1111 1111 1117"]
COUNTRIES = {"DE": "Germany", "FR": "France", "ES": "Spain", "NL": "Netherlands", "SE": "Sweden", "GB": "United Kingdom",
             "US": "United States", "JP": "Japan", "BR": "Brazil", "NG": "Nigeria"}


def iban(country, digits):
    def number(text):
        return int("".join(str(int(c, 36)) for c in text))
    body = "".join(str(rng.randrange(10)) for _ in range(digits))
    check = 98 - number(body + country + "00") % 97
    return f"{country}{check:02}{body}"


def secret(text):
    return ("secret", text)


def line(cells):
    plain, masked = [], []
    for cell in cells:
        pieces = cell if isinstance(cell, list) else [cell]
        text = "".join(p[1] if isinstance(p, tuple) else str(p) for p in pieces)
        mask = "".join("*" * len(p[1]) if isinstance(p, tuple) else str(p) for p in pieces)
        if "," in text:
            text, mask = f'"{text}"', f'"{mask}"'
        plain.append(text)
        masked.append(mask)
    return ",".join(plain) + "\n", ",".join(masked) + "\n"


def people():
    header = "id,name,email,phone,card,iban,ip,ssn,country,joined,note\n"
    plain, masked = [header], [header]
    for i in range(1, 41):
        first, last = rng.choice(FIRST), rng.choice(LAST)
        user = f"{first}.{last}".lower().replace("é", "e").replace("ö", "oe")
        mail = f"{user}{rng.choice(['', '+news', i])}@{rng.choice(['example.com', 'mail.example.org', 'example.net'])}"
        phone = rng.choice([f"+1 415-555-01{rng.randrange(100):02}", f"+44 20 7946 0{rng.randrange(1000):03}",
                            f"(212) 555-01{rng.randrange(100):02}"])
        address = rng.choice([f"192.0.2.{rng.randrange(1, 255)}", f"203.0.113.{rng.randrange(1, 255)}",
                              f"2001:db8::{rng.randrange(1, 65536):x}"])
        bank = iban("DE", 18) if i % 3 else iban("ES", 20)
        number = rng.choice(["078-05-1120", "219-09-9999", "457-55-5462"])
        note = rng.choice([
            ["prefers paper, order 2024-000", str(i)],
            ["writes from ", secret(f"office{i}@example.org"), ", never on Mondays"],
            ["call ", secret("+1 202-555-0143"), " before 18:30"],
            ["room 4.2.1, version 1.12.0"],
            [""],
        ])
        cells = [str(1000 + i), f"{first} {last}", [secret(mail)], [secret(phone)], [secret(rng.choice(CARDS))],
                 [secret(bank)], [secret(address)], [secret(number)], rng.choice(list(COUNTRIES)),
                 f"20{rng.randrange(10, 25)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}", note]
        a, b = line(cells)
        plain.append(a)
        masked.append(b)
    return "".join(plain), "".join(masked)


def log():
    lines = []
    for i in range(2000):
        address = f"198.51.100.{rng.randrange(1, 255)}"
        path = rng.choice(["/", "/photos/cat.jpg", "/login", "/api/orders?page=2", "/favicon.ico"])
        status = rng.choice([200, 200, 200, 200, 304, 404, 500])
        second = i * 7
        time = f"07/Nov/2025:{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02} +0000"
        user = rng.choice(["-", "-", "ada@example.com"])
        lines.append(f'{address} - {user} [{time}] "GET {path} HTTP/1.1" {status} {rng.randrange(200, 90000)}\n')
    return "".join(lines)


def orders():
    lines = []
    for i in range(200):
        order = {"id": 5000 + i, "customer": f"{rng.choice(FIRST)} {rng.choice(LAST)}",
                 "country": rng.choice(list(COUNTRIES)), "amount": rng.randrange(500, 90000) / 100,
                 "team": rng.choice(["emea", "apac", "amer"]), "paid": rng.random() < 0.8}
        lines.append(json.dumps(order, ensure_ascii=False) + "\n")
    return "".join(lines)


plain, masked = people()
access = log()
outputs = {
    "people.csv": plain.encode(),
    "people.redacted.csv": masked.encode(),
    "access.log": access.encode(),
    "access.log.gz": gzip.compress(access.encode(), mtime=0),
    "orders.jsonl": orders().encode(),
    "countries.csv": ("code,name\n" + "".join(f"{code},{name}\n" for code, name in COUNTRIES.items())).encode(),
}
for name, content in outputs.items():
    (here / name).write_bytes(content)
