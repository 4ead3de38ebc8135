"""The hot statements: each takes text and answers with one JSON document, in PostgreSQL and in SQLite.

Their text is constant, whatever the number of lines, so that the database plans them once.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import connections, models

from holdfast.prepared import Statement
from holdfast_artisan_shop.models import (
    BasketLine,
    FlashSale,
    Order,
    OrderLine,
    Product,
    Purchase,
    Shop,
    Stock,
    StockMove,
    Variant,
)

_TABLES: dict[str, type[models.Model]] = {
    "basket_line": BasketLine,
    "flash_sale": FlashSale,
    "order": Order,
    "order_line": OrderLine,
    "product": Product,
    "purchase": Purchase,
    "shop": Shop,
    "stock": Stock,
    "stock_move": StockMove,
    "variant": Variant,
}

# What differs: how a JSON array becomes rows, how rows become a JSON array, the time, and who locks rows.
_DIALECTS: dict[str, dict[str, str]] = {
    "postgresql": {
        "uuid": "uuid",
        "rows": "jsonb_array_elements(CAST(%s AS jsonb))",
        "ids": "(SELECT CAST(value AS uuid) AS id FROM jsonb_array_elements_text(CAST(%s AS jsonb))) AS wanted",
        "all": "jsonb_agg",
        "array": "jsonb_build_array",
        "now": "statement_timestamp()",
        "lock_lines": "FOR UPDATE OF line",
    },
    "sqlite": {
        "uuid": "text",
        "rows": "json_each(%s)",
        "ids": "(SELECT value AS id FROM json_each(%s)) AS wanted",
        "all": "json_group_array",
        "array": "json_array",
        "now": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')",
        "lock_lines": "",
    },
}

# What an order has to know of a variant. A flash sale that runs, has pieces left and is cheaper makes the price.
QUOTED = """
    variant.id AS variant_id, product.id AS product_id, product.shop_id AS shop_id, product.name AS name,
    variant.sku AS sku, variant.options AS options, product.currency AS currency,
    product.made_to_order AS made_to_order, product.lead_days AS lead_days,
    CASE WHEN variant.active AND product.active THEN 1 ELSE 0 END AS active, shop.state AS shop_state,
    COALESCE(flash.price_minor, product.price_minor) + variant.extra_minor AS unit_minor, flash.id AS flash_sale_id"""
PRICED = """
    JOIN {product} AS product ON product.id = variant.product_id
    JOIN {shop} AS shop ON shop.id = product.shop_id
    LEFT JOIN {flash_sale} AS flash ON flash.product_id = product.id AND flash.starts_at <= {now}
        AND flash.ends_at > {now} AND flash.price_minor < product.price_minor
        AND (flash.quantity IS NULL OR flash.sold < flash.quantity)"""
_COLUMNS = (
    "variant_id, product_id, shop_id, name, sku, options, currency, made_to_order, lead_days, active, shop_state, "
    "unit_minor, flash_sale_id"
)
_QUOTE = f"""
    SELECT {{all}}({{array}}({_COLUMNS}, quantity, seen_minor, line_id)) FROM (
        SELECT {QUOTED}, {{extra}} FROM {{source}} {PRICED} {{end}}
    ) AS quoted"""  # noqa: S608 - nobody's words but ours
_NO_LINE = "NULL AS quantity, NULL AS seen_minor, NULL AS line_id"

_CHANGED = """
    UPDATE {stock} AS stock
    SET on_hand = stock.on_hand + wanted.on_hand, held = stock.held + wanted.held,
        allocated = stock.allocated + wanted.allocated
    FROM {wanted}
    WHERE stock.variant_id = wanted.id AND stock.held + wanted.held >= 0 AND stock.allocated + wanted.allocated >= 0
        AND stock.on_hand + wanted.on_hand >= stock.held + wanted.held + stock.allocated + wanted.allocated
        AND (wanted.on_hand <= 0 OR stock.on_hand + wanted.on_hand <= CAST(%s AS int))
    RETURNING"""

_CHANGE_POSTGRESQL = f"""
    WITH wanted AS MATERIALIZED (
        SELECT CAST(value ->> 0 AS uuid) AS id, CAST(value ->> 1 AS int) AS on_hand, CAST(value ->> 2 AS int) AS held,
            CAST(value ->> 3 AS int) AS allocated, value ->> 4 AS kind, CAST(value ->> 5 AS uuid) AS order_id,
            value ->> 6 AS note
        FROM {{rows}}
    ), locked AS MATERIALIZED (
        SELECT variant_id AS locked_id FROM {{stock}} WHERE variant_id IN (SELECT id FROM wanted)
        ORDER BY variant_id FOR NO KEY UPDATE
    ), changed AS (
        {_CHANGED} stock.variant_id, stock.on_hand, stock.held, stock.allocated, stock.low_at
    ), moved AS (
        INSERT INTO {{stock_move}} (stock_id, order_id, kind, on_hand, held, allocated, note, at)
        SELECT wanted.id, order_id, kind, wanted.on_hand, wanted.held, wanted.allocated, note, clock_timestamp()
        FROM wanted JOIN changed ON changed.variant_id = wanted.id
    )
    SELECT jsonb_agg(jsonb_build_array(variant_id, on_hand, held, allocated, low_at)) FROM changed"""  # noqa: S608 - as above

_WANTED_SQLITE = """(
        SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS on_hand,
            json_extract(value, '$[2]') AS held, json_extract(value, '$[3]') AS allocated
        FROM {rows}
    ) AS wanted"""

# A purchase, its orders, their lines and what is told of them: one document in, one statement.
_RECORD = """
    WITH document AS MATERIALIZED (SELECT CAST(%s AS jsonb) AS value), placed AS (
        INSERT INTO {purchase} (id, customer_id, key, placed_at, fingerprint)
        SELECT CAST(value -> 0 ->> 0 AS uuid), CAST(value -> 0 ->> 1 AS {user}), value -> 0 ->> 2,
            CAST(value -> 0 ->> 3 AS timestamptz), value -> 0 ->> 4 FROM document
        RETURNING id, customer_id, placed_at
    ), ordered AS (
        INSERT INTO {order} (id, purchase_id, shop_id, customer_id, state, currency, subtotal_minor, delivery_minor,
            discount_minor, total_minor, fee_minor, lead_days, note, placed_at, cancel_reason)
        SELECT CAST(o ->> 0 AS uuid), placed.id, CAST(o ->> 1 AS uuid), placed.customer_id, 'pending', o ->> 2,
            CAST(o ->> 3 AS bigint), CAST(o ->> 4 AS bigint), CAST(o ->> 5 AS bigint), CAST(o ->> 6 AS bigint),
            CAST(o ->> 7 AS bigint), CAST(o ->> 8 AS smallint), o ->> 9, placed.placed_at, ''
        FROM placed, document, jsonb_array_elements(document.value -> 1) AS o
    ), lined AS (
        INSERT INTO {order_line} (order_id, product_id, variant_id, flash_sale_id, name, sku, options, stocked,
            quantity, unit_minor, total_minor)
        SELECT CAST(l ->> 0 AS uuid), CAST(l ->> 1 AS uuid), CAST(l ->> 2 AS uuid), CAST(l ->> 3 AS uuid), l ->> 4,
            l ->> 5, l -> 6, CAST(l ->> 7 AS boolean), CAST(l ->> 8 AS int), CAST(l ->> 9 AS bigint),
            CAST(l ->> 10 AS bigint)
        FROM document, jsonb_array_elements(document.value -> 2) WITH ORDINALITY AS line(l, position)
        ORDER BY position
    ), told AS (<told>)
    SELECT '[]' FROM placed"""

_ADD = f"""
    INSERT INTO {{basket_line}} (customer_id, variant_id, quantity, unit_minor, added_at)
    SELECT CAST(%s AS {{user}}), variant_id, CAST(%s AS integer), unit_minor, {{now}} FROM (
        SELECT {QUOTED} FROM {{variant}} AS variant {PRICED} WHERE variant.id = CAST(%s AS {{uuid}})
    ) AS quoted
    WHERE active = 1 AND shop_state = 'open' AND (
        SELECT count(*) FROM {{basket_line}} AS line
        WHERE line.customer_id = CAST(%s AS {{user}}) AND line.variant_id <> quoted.variant_id
    ) < CAST(%s AS integer)
    ON CONFLICT (customer_id, variant_id) DO UPDATE
    SET quantity = {{basket_line}}.quantity + excluded.quantity, unit_minor = excluded.unit_minor
    WHERE {{basket_line}}.quantity + excluded.quantity <= CAST(%s AS integer)
    RETURNING {{array}}(id, quantity, unit_minor)"""  # noqa: S608 - as above


def quote(*, using: str, variant_ids: Sequence[UUID] = (), product_ids: Sequence[UUID] = ()) -> list[list[Any]]:
    """Return what these variants, or all active variants of these products, cost now; see ``Quoted`` for the order."""
    by_product = bool(product_ids)
    wanted = json.dumps([one.hex for one in product_ids or variant_ids])
    return _answer("quote_products" if by_product else "quote_variants", using, [wanted])


def quote_basket(*, using: str, customer_id: Any, lock: bool) -> list[list[Any]]:
    """Return the lines of a basket as ``quote`` does, locked or not, with their quantities and the prices seen."""
    return _answer("lock_basket" if lock else "quote_basket", using, [_user(using, customer_id)])


def add_line(
    *, using: str, customer_id: Any, variant_id: UUID, quantity: int, max_lines: int, max_quantity: int
) -> list[Any] | None:
    """Put a variant into a basket at its price; return the line's id, quantity and price, or ``None`` if it cannot."""
    user = _user(using, customer_id)
    parameters = [user, str(quantity), variant_id.hex, user, str(max_lines), str(max_quantity)]
    row = _statement("add", using).row(connections[using], parameters)
    return row[0] if row else None


def change_figures(*, using: str, changes: Sequence[Sequence[Any]], most: int) -> list[list[Any]]:
    """Change figures of the stock where the law allows it, and note why; return the figures of those that changed.

    A change is ``[variant_id, on_hand, held, allocated, kind, order_id, note]``. PostgreSQL locks them in the order of
    their ids first, so that two who change the same never wait for each other in a circle. ``most`` is how many pieces
    of one variant there may be.
    """
    connection = connections[using]
    document = json.dumps([[one[0].hex, *one[1:5], one[5] and one[5].hex, one[6]] for one in changes])
    if connection.vendor == "postgresql":
        return _answer("change", using, [document, str(most)])
    with connection.cursor() as cursor:
        cursor.execute(_statement("change", using).sql, [document, most])
        changed: list[list[Any]] = [[UUID(one), *figures] for one, *figures in cursor.fetchall()]
    moved = {row[0] for row in changed}
    StockMove.objects.using(using).bulk_create(
        StockMove(
            stock_id=one[0], on_hand=one[1], held=one[2], allocated=one[3], kind=one[4], order_id=one[5], note=one[6]
        )
        for one in changes
        if one[0] in moved
    )
    return changed


def record_purchase(*, using: str, document: Sequence[Any], told: tuple[str, list[str]]) -> None:
    """Write a purchase, its orders, their lines and their events (PostgreSQL)."""
    sql, parameters = told
    _recording(using, sql).row(connections[using], [json.dumps(document), *parameters])


@lru_cache(maxsize=16)
def _recording(using: str, told: str) -> Statement:
    return Statement(_filled(_RECORD, using).replace("<told>", told), read=_document)


@lru_cache(maxsize=64)
def _statement(name: str, using: str) -> Statement:
    sqlite = connections[using].vendor == "sqlite"
    ids = "{ids} JOIN {variant} AS variant ON variant."
    line = "{basket_line} AS line JOIN {variant} AS variant ON variant.id = line.variant_id"
    basket = "line.quantity AS quantity, line.unit_minor AS seen_minor, line.id AS line_id"
    mine = "WHERE line.customer_id = CAST(%s AS {user}) ORDER BY line.id"
    change = _CHANGED.replace("{wanted}", _WANTED_SQLITE) + " variant_id, on_hand, held, allocated, low_at"
    texts = {
        "quote_variants": _quote(f"{ids}id = wanted.id", _NO_LINE, ""),
        "quote_products": _quote(f"{ids}product_id = wanted.id AND variant.active", _NO_LINE, ""),
        "quote_basket": _quote(line, basket, mine),
        "lock_basket": _quote(line, basket, f"{mine} {{lock_lines}}"),
        "add": _ADD,
        "change": change
        if sqlite
        else _CHANGE_POSTGRESQL.replace("{wanted}", "wanted JOIN locked ON locked_id = wanted.id"),
    }
    return Statement(_filled(texts[name], using), read=_document)


def _quote(source: str, extra: str, end: str) -> str:
    return _QUOTE.replace("{source}", source).replace("{extra}", extra).replace("{end}", end)


def _filled(sql: str, using: str) -> str:
    """Fill in the names of tables, the type of the host's users and the words of the dialect."""
    connection = connections[using]
    words = {name: connection.ops.quote_name(model._meta.db_table) for name, model in _TABLES.items()}
    words["user"] = str(get_user_model()._meta.pk.rel_db_type(connection))
    for name, word in (_DIALECTS[connection.vendor] | words).items():
        sql = sql.replace(f"{{{name}}}", word)
    return sql


def _answer(name: str, using: str, parameters: list[str | None]) -> list[list[Any]]:
    row = _statement(name, using).row(connections[using], parameters)
    answer: list[list[Any]] = row[0] if row else []
    return answer


def _user(using: str, user_id: Any) -> str | None:
    value = get_user_model()._meta.pk.get_db_prep_value(user_id, connections[using])
    return None if value is None else str(value)


def _document(text: Any) -> Any:
    return [] if text is None else json.loads(text)
