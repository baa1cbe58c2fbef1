package pgcatalog

import (
	"context"
	"slices"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
)

func clusterTables() []table {
	return []table{
		{name: "pg_catalog.pg_namespace", keys: []string{"oid", "nspname"}, dynamic: namespaceRows},
		{name: "pg_catalog.pg_database", keys: []string{"oid", "datname"}, dynamic: databaseRows},
		{name: "pg_catalog.pg_authid", keys: []string{"oid", "rolname"}, dynamic: authidRows},
		{name: "pg_catalog.pg_auth_members", keys: []string{"member", "roleid"}, dynamic: memberRows},
		{name: "pg_catalog.pg_db_role_setting", dynamic: roleSettingRows},
		{name: "pg_catalog.pg_largeobject_metadata", dynamic: largeObjectRows},
		{name: "pg_catalog.pg_default_acl", dynamic: defaultACLRows},
		{name: "pg_catalog.pg_extension", keys: []string{"oid", "extname"}, dynamic: extensionRows},
	}
}

func namespaceRows(_ context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	for _, sc := range v.Snapshot.Schemas() {
		if o, ok := keyOID(key, "oid"); ok && o != sc.OID {
			continue
		}
		if name, ok := keyName(key, "nspname"); ok && name != sc.Name {
			continue
		}
		if err := yield([]types.Datum{oid(sc.OID), text(sc.Name), oid(owner(sc.Owner)), aclItems(v.Snapshot, sc.ACL)}); err != nil {
			return err
		}
	}
	return nil
}

// databases lists the cluster's databases; the current one is there even when the list is not to be had.
func databases(ctx context.Context, v *catalog.View) ([]catalog.Database, error) {
	if v.Live == nil {
		return []catalog.Database{{OID: v.Snapshot.DBOID, Name: v.Snapshot.Database, Owner: catalog.BootstrapRole, AllowConn: true, ConnLimit: -1}}, nil
	}
	list, err := v.Live.Databases(ctx)
	for i, d := range list {
		if known := v.Snapshot.DatabaseByOID(d.OID); known != nil {
			list[i] = *known
		}
	}
	return list, err
}

func databaseRows(ctx context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	list, err := databases(ctx, v)
	if err != nil {
		return err
	}
	for _, d := range list {
		if name, ok := keyName(key, "datname"); ok && name != d.Name {
			continue
		}
		if d.Template && d.ACL == nil {
			d.ACL = catalog.ACL{{Grantor: catalog.BootstrapRole, Held: catalog.Connect}, {Grantee: catalog.BootstrapRole, Grantor: catalog.BootstrapRole, Held: catalog.OnDatabase.All()}}
		}
		row := []types.Datum{
			oid(d.OID), text(d.Name), oid(owner(d.Owner)), num(6), char('c'), types.Bool(d.Template), types.Bool(d.AllowConn), num(int(d.ConnLimit)), num(716), num(1), num(1663),
			text("C.UTF-8"), text("C.UTF-8"), types.Null, types.Null, aclItems(v.Snapshot, d.ACL),
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

// sessionRole is the OID under which a user that connected without being declared appears.
const sessionRole uint32 = 16383

// roles are the declared roles and the session's own user, which exists by having been let in.
func roles(v *catalog.View) []*catalog.Role {
	list := v.Snapshot.Roles()
	if v.User == "" || v.Snapshot.RoleByName(v.User) != nil {
		return list
	}
	return append(slices.Clip(list), &catalog.Role{
		OID: sessionRole, Name: v.User, Super: true, Inherit: true, CreateRole: true, CreateDB: true, Login: true, Replication: true, BypassRLS: true, ConnLimit: -1,
	})
}

func authidRows(_ context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	for _, r := range roles(v) {
		if o, ok := keyOID(key, "oid"); ok && o != r.OID {
			continue
		}
		if name, ok := keyName(key, "rolname"); ok && name != r.Name {
			continue
		}
		until := types.Null
		if r.ValidUntil != "" {
			d, err := types.Input(types.DefaultIO(), types.TimestampTZT, -1, r.ValidUntil)
			if err != nil {
				return err
			}
			until = d
		}
		row := []types.Datum{
			oid(r.OID), text(r.Name), types.Bool(r.Super), types.Bool(r.Inherit), types.Bool(r.CreateRole), types.Bool(r.CreateDB), types.Bool(r.Login),
			types.Bool(r.Replication), types.Bool(r.BypassRLS), num(int(r.ConnLimit)), textOrNull(r.Password), until,
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

func memberRows(_ context.Context, v *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
	for _, r := range v.Snapshot.Roles() {
		for _, group := range r.MemberOf {
			if err := yield([]types.Datum{oid(group.Role), oid(r.OID), oid(group.Grantor), types.Bool(group.Admin)}); err != nil {
				return err
			}
		}
	}
	return nil
}

func roleSettingRows(_ context.Context, v *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
	var err error
	v.Snapshot.EachDatabase(func(d *catalog.Database) {
		for _, set := range d.Settings {
			if err == nil {
				err = yield([]types.Datum{oid(d.OID), oid(set.Role), textArray(set.Settings)})
			}
		}
	})
	return err
}

func defaultACLRows(_ context.Context, v *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
	var err error
	v.Snapshot.EachDefault(func(d *catalog.DefaultPrivileges) {
		kind := byte(d.Kind)
		if d.Kind == catalog.OnSequence {
			kind = 'S'
		}
		if err == nil {
			err = yield([]types.Datum{oid(d.OID), oid(d.Role), oid(d.Schema), char(kind), aclItems(v.Snapshot, d.ACL)})
		}
	})
	return err
}

func largeObjectRows(ctx context.Context, v *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
	if v.Live == nil {
		return nil
	}
	list, err := v.Live.LargeObjects(ctx)
	if err != nil {
		return err
	}
	for _, l := range list {
		if err := yield([]types.Datum{oid(l.OID), oid(l.Owner), types.Null}); err != nil {
			return err
		}
	}
	return nil
}

func extensionRows(_ context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	for _, e := range v.Snapshot.Extensions() {
		if name, ok := keyName(key, "extname"); ok && name != e.Name {
			continue
		}
		row := []types.Datum{oid(e.OID), text(e.Name), oid(catalog.BootstrapRole), oid(e.SchemaID), types.Bool(e.Name != "plpgsql"), text(e.Version), types.Null, types.Null}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}
