import java.io.StringReader;
import java.math.BigDecimal;
import java.sql.*;
import java.util.*;
import org.postgresql.PGConnection;

/** pgjdbc with its defaults. usage: mvn -q compile exec:java (PGHOST, PGPORT, PGUSER, PGDATABASE) */
public class Main {
  interface Body { void run() throws Exception; }

  static int passed, failed;

  static void check(String name, Body body) {
    try {
      body.run();
      passed++;
      System.out.println("ok    " + name);
    } catch (Throwable e) {
      failed++;
      System.out.println("FAIL  " + name);
      e.printStackTrace(System.out);
    }
  }

  static void equal(Object got, Object want) {
    if (!Objects.equals(got, want)) throw new AssertionError("got " + got + ", want " + want);
  }

  static String state(Body body) throws Exception {
    try {
      body.run();
    } catch (SQLException e) {
      return e.getSQLState();
    }
    throw new AssertionError("accepted");
  }

  public static void main(String[] args) throws Exception {
    Map<String, String> env = System.getenv();
    String url = "jdbc:postgresql://" + env.get("PGHOST") + ":" + env.get("PGPORT") + "/" + env.get("PGDATABASE");
    Connection db = DriverManager.getConnection(url, env.get("PGUSER"), "");
    Statement st = db.createStatement();
    st.execute("DROP TABLE IF EXISTS c_jdbc");
    st.execute("CREATE TABLE c_jdbc (id bigserial PRIMARY KEY, name varchar(50) NOT NULL, n numeric(12,3), at timestamptz, d date, ok boolean, tags text[], u uuid)");

    check("binds and reads, in text and then in binary", () -> {
      UUID u = new UUID(1, 2);
      Timestamp at = Timestamp.valueOf("2024-02-29 12:30:01.123456");
      try (PreparedStatement ps = db.prepareStatement("INSERT INTO c_jdbc (name, n, at, d, ok, tags, u) VALUES (?, ?, ?, ?, ?, ?, ?)", Statement.RETURN_GENERATED_KEYS)) {
        ps.setString(1, "a");
        ps.setBigDecimal(2, new BigDecimal("1.500"));
        ps.setTimestamp(3, at);
        ps.setDate(4, java.sql.Date.valueOf("2024-02-29"));
        ps.setBoolean(5, true);
        ps.setArray(6, db.createArrayOf("text", new String[] {"x", null}));
        ps.setObject(7, u);
        equal(ps.executeUpdate(), 1);
        ResultSet keys = ps.getGeneratedKeys();
        keys.next();
        equal(keys.getLong("id"), 1L);
      }
      try (PreparedStatement ps = db.prepareStatement("SELECT name, n, at, d, ok, tags, u FROM c_jdbc WHERE id = ?")) {
        for (int i = 0; i < 8; i++) {
          ps.setLong(1, 1);
          ResultSet rs = ps.executeQuery();
          equal(rs.next(), true);
          equal(rs.getString(1), "a");
          equal(rs.getBigDecimal(2), new BigDecimal("1.500"));
          equal(rs.getTimestamp(3), at);
          equal(rs.getDate(4), java.sql.Date.valueOf("2024-02-29"));
          equal(rs.getBoolean(5), true);
          equal(Arrays.asList((String[]) rs.getArray(6).getArray()), Arrays.asList("x", null));
          equal(rs.getObject(7), u);
        }
      }
    });
    check("batches", () -> {
      try (PreparedStatement ps = db.prepareStatement("INSERT INTO c_jdbc (name, n) VALUES (?, ?)")) {
        for (int i = 0; i < 200; i++) {
          ps.setString(1, "b" + i);
          ps.setInt(2, i);
          ps.addBatch();
        }
        equal(ps.executeBatch().length, 200);
      }
    });
    check("transactions, savepoints and errors", () -> {
      db.setAutoCommit(false);
      st.executeUpdate("DELETE FROM c_jdbc WHERE name = 'b0'");
      Savepoint sp = db.setSavepoint();
      equal(state(() -> st.executeUpdate("INSERT INTO c_jdbc (id, name) VALUES (1, 'again')")), "23505");
      equal(state(() -> st.executeQuery("SELECT 1")), "25P02");
      db.rollback(sp);
      db.rollback();
      db.setAutoCommit(true);
      ResultSet rs = st.executeQuery("SELECT count(*) FROM c_jdbc");
      rs.next();
      equal(rs.getInt(1), 201);
      equal(state(() -> st.executeQuery("SELECT nothere FROM c_jdbc")), "42703");
    });
    check("fetch size", () -> {
      db.setAutoCommit(false);
      try (PreparedStatement ps = db.prepareStatement("SELECT name FROM c_jdbc WHERE name LIKE ? ORDER BY n")) {
        ps.setFetchSize(33);
        ps.setString(1, "b%");
        int n = 0;
        for (ResultSet rs = ps.executeQuery(); rs.next(); n++) equal(rs.getString(1), "b" + n);
        equal(n, 200);
      }
      db.commit();
      db.setAutoCommit(true);
    });
    check("copies", () -> {
      var copy = db.unwrap(PGConnection.class).getCopyAPI();
      equal(copy.copyIn("COPY c_jdbc (name, n) FROM STDIN WITH CSV", new StringReader("c,1\n\"d,e\",2\n")), 2L);
      var out = new java.io.ByteArrayOutputStream();
      copy.copyOut("COPY (SELECT name FROM c_jdbc WHERE name IN ('c', 'd,e') ORDER BY 1) TO STDOUT", out);
      equal(out.toString(), "c\nd,e\n");
    });
    check("metadata", () -> {
      DatabaseMetaData meta = db.getMetaData();
      ResultSet rs = meta.getColumns(null, "public", "c_jdbc", "%");
      List<String> columns = new ArrayList<>();
      while (rs.next()) columns.add(rs.getString("COLUMN_NAME") + " " + rs.getString("TYPE_NAME") + " " + rs.getInt("COLUMN_SIZE"));
      equal(columns.subList(0, 3), List.of("id bigserial 19", "name varchar 50", "n numeric 12"));
      rs = meta.getPrimaryKeys(null, "public", "c_jdbc");
      rs.next();
      equal(rs.getString("COLUMN_NAME") + " " + rs.getString("PK_NAME"), "id c_jdbc_pkey");
      rs = meta.getIndexInfo(null, "public", "c_jdbc", true, false);
      rs.next();
      equal(rs.getString("INDEX_NAME"), "c_jdbc_pkey");
    });
    st.execute("DROP TABLE c_jdbc");
    db.close();
    System.out.println(passed + " passed, " + failed + " failed");
    System.exit(failed == 0 ? 0 : 1);
  }
}
