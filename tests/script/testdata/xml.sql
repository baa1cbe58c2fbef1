SELECT '<?xml version="1.0" encoding="UTF-8" standalone="no"?><a/>'::xml;
SELECT '<?xml version="1.0" encoding="UTF-8"?>
<a/>'::xml;
SELECT '<?xml version="1.1" encoding="UTF-8"?>
<a/>'::xml;
SELECT '<?xml version="1.0" standalone="yes"?><a/>'::xml;
SELECT ('<?xml version="1.0" encoding="UTF-8"?><a/>'::xml)::text;
CREATE TABLE x (a xml);
INSERT INTO x VALUES ('<?xml version="1.0" encoding="latin1"?><a>é</a>'), (' <b/>'), ('text');
SELECT a, a::text FROM x;
