// node-postgres with its defaults. usage: node main.js (PGHOST, PGPORT, PGUSER, PGDATABASE)
const assert = require('node:assert');
const { Client } = require('pg');
const Cursor = require('pg-cursor');

let passed = 0;
let failed = 0;
async function check(name, f) {
  try {
    await f();
    passed++;
    console.log('ok   ', name);
  } catch (e) {
    failed++;
    console.log('FAIL ', name, e);
  }
}

async function main() {
  const db = new Client();
  await db.connect();
  await db.query('DROP TABLE IF EXISTS c_node');
  await db.query('CREATE TABLE c_node (id serial PRIMARY KEY, name text NOT NULL, doc jsonb, at timestamptz, tags text[], ok boolean)');

  await check('binds and reads', async () => {
    const at = new Date('2024-02-29T12:00:00.123Z');
    const made = await db.query('INSERT INTO c_node (name, doc, at, tags, ok) VALUES ($1, $2, $3, $4, $5) RETURNING id', ['a', { k: [1] }, at, ['x', 'y'], true]);
    assert.strictEqual(made.rows[0].id, 1);
    assert.strictEqual(made.command, 'INSERT');
    const { rows } = await db.query('SELECT * FROM c_node WHERE name = $1 AND ok = $2', ['a', true]);
    assert.deepStrictEqual(rows, [{ id: 1, name: 'a', doc: { k: [1] }, at, tags: ['x', 'y'], ok: true }]);
  });
  await check('named statements', async () => {
    for (const n of [1, 2, 3]) {
      const r = await db.query({ name: 'plus', text: 'SELECT $1::int + 1 AS n', values: [n] });
      assert.strictEqual(r.rows[0].n, n + 1);
    }
  });
  await check('several statements', async () => {
    const r = await db.query("SELECT 1 AS a; SELECT 'x' AS b");
    assert.deepStrictEqual(r.map((x) => x.rows[0]), [{ a: 1 }, { b: 'x' }]);
  });
  await check('transactions and errors', async () => {
    await db.query('BEGIN');
    await assert.rejects(db.query('INSERT INTO c_node (name) VALUES (NULL)'), { code: '23502', column: 'name', table: 'c_node' });
    await assert.rejects(db.query('SELECT 1'), { code: '25P02' });
    assert.strictEqual((await db.query('COMMIT')).command, 'ROLLBACK');
    await assert.rejects(db.query('SELECT nothere FROM c_node'), { code: '42703', position: '8' });
  });
  await check('cursors with row limits', async () => {
    const cursor = db.query(new Cursor('SELECT n FROM generate_series(1, $1::int) n', [250]));
    let total = 0;
    for (;;) {
      const rows = await cursor.read(100);
      if (rows.length === 0) break;
      total += rows.length;
    }
    await cursor.close();
    assert.strictEqual(total, 250);
  });
  await check('parallel queries on one connection', async () => {
    const all = await Promise.all([...Array(20).keys()].map((i) => db.query('SELECT $1::int AS i', [i])));
    assert.deepStrictEqual(all.map((r) => r.rows[0].i), [...Array(20).keys()]);
  });
  await check('notifications', async () => {
    const got = new Promise((resolve) => db.once('notification', resolve));
    await db.query('LISTEN c_node_news');
    await db.query("SELECT pg_notify('c_node_news', 'hello')");
    assert.strictEqual((await got).payload, 'hello');
  });

  await db.query('DROP TABLE c_node');
  await db.end();
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
