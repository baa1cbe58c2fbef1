package sample

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

var (
	firstNames = []string{"Ada", "Bjarne", "Chloé", "Dmitri", "Edsger", "Fatima", "Grace", "Hugo", "Ines", "Jun", "Katherine", "Linus", "Margaret", "Noor", "Óscar", "Petra"}
	lastNames  = []string{"Abe", "Baker", "Castillo", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ivanova", "Jensen", "Kowalski", "Lopez", "Müller", "Novak", "O'Neill", "Popescu"}
	cities     = []struct{ name, country, zip string }{
		{"Amsterdam", "NLD", "1012"},
		{"Berlin", "DEU", "10115"},
		{"Chicago", "USA", "60601"},
		{"Dakar", "SEN", "12500"},
		{"Lima", "PER", "15001"},
		{"Lyon", "FRA", "69001"},
		{"Osaka", "JPN", "530-0001"},
		{"Porto", "PRT", "4000-008"},
	}
	adjectives = []string{"Compact", "Quiet", "Sturdy", "Light", "Vintage", "Solar", "Folding", "Ceramic"}
	nouns      = []string{"Kettle", "Lamp", "Backpack", "Desk", "Speaker", "Bicycle", "Notebook", "Chair"}
	categories = []string{"kitchen", "home", "outdoor", "office", "audio"}
	statuses   = []string{"pending", "paid", "shipped", "delivered", "cancelled"}
	epoch      = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
)

// shop draws documents; everything follows from the seed, so that two runs give the same bytes.
type shop struct {
	rng    *rand.Rand
	insert Insert
}

func loadShop(insert Insert, seed uint64, orders int) error {
	s := &shop{rng: rand.New(rand.NewPCG(seed, 1)), insert: insert}
	customers, products := max(orders/20, 10), max(orders/200, 10)
	if err := s.fill("customers", customers, s.customer); err != nil {
		return err
	}
	if err := s.fill("products", products, s.product); err != nil {
		return err
	}
	return s.fill("orders", orders, func(n int) bson.D { return s.order(n, customers, products) })
}

func (s *shop) fill(collection string, n int, doc func(n int) bson.D) error {
	for start := 1; start <= n; start += Batch {
		docs := make([]any, 0, Batch)
		for i := start; i <= n && i < start+Batch; i++ {
			docs = append(docs, doc(i))
		}
		if err := s.insert(collection, docs); err != nil {
			return err
		}
	}
	return nil
}

func (s *shop) one(of int) bool { return s.rng.IntN(of) == 0 }

// id makes an ObjectId from the seed's numbers: a time in the sample's range, then a counter.
func (s *shop) id(kind byte, n int) bson.ObjectID {
	var id bson.ObjectID
	binary.BigEndian.PutUint32(id[:4], uint32(epoch.Unix())+uint32(n))
	id[4] = kind
	binary.BigEndian.PutUint32(id[8:], uint32(n))
	return id
}

func (s *shop) customer(n int) bson.D {
	city := cities[s.rng.IntN(len(cities))]
	first, last := firstNames[s.rng.IntN(len(firstNames))], lastNames[s.rng.IntN(len(lastNames))]
	doc := bson.D{{Key: "_id", Value: s.id('c', n)}, {Key: "name", Value: first + " " + last}}
	switch {
	case s.one(20): // some customers never gave an address of mail
	case s.one(20):
		doc = append(doc, bson.E{Key: "email", Value: nil})
	default:
		doc = append(doc, bson.E{Key: "email", Value: fmt.Sprintf("customer%d@example.com", n)})
	}
	address := bson.D{{Key: "city", Value: city.name}, {Key: "country", Value: city.country}}
	if s.one(10) { // an old importer stored postal codes as numbers
		address = append(address, bson.E{Key: "zip", Value: int32(10000 + s.rng.IntN(80000))})
	} else {
		address = append(address, bson.E{Key: "zip", Value: city.zip})
	}
	if !s.one(3) {
		address = append(address, bson.E{Key: "geo", Value: bson.D{{Key: "lat", Value: s.rng.Float64()*180 - 90}, {Key: "lng", Value: s.rng.Float64()*360 - 180}}})
	}
	doc = append(doc, bson.E{Key: "address", Value: address}, bson.E{Key: "active", Value: !s.one(8)})
	if !s.one(4) {
		tags := bson.A{}
		for _, t := range []string{"newsletter", "wholesale", "vip"} {
			if s.one(2) {
				tags = append(tags, t)
			}
		}
		doc = append(doc, bson.E{Key: "tags", Value: tags})
	}
	if s.one(3) {
		doc = append(doc, bson.E{Key: "credit", Value: s.decimal(100000)})
	}
	return append(doc, bson.E{Key: "created", Value: bson.NewDateTimeFromTime(epoch.Add(time.Duration(n) * 37 * time.Minute))})
}

func (s *shop) product(n int) bson.D {
	doc := bson.D{
		{Key: "_id", Value: int32(n)},
		{Key: "sku", Value: fmt.Sprintf("SKU-%05d", n)},
		{Key: "name", Value: adjectives[s.rng.IntN(len(adjectives))] + " " + nouns[s.rng.IntN(len(nouns))]},
		{Key: "category", Value: categories[s.rng.IntN(len(categories))]},
		{Key: "price", Value: s.decimal(50000)},
		{Key: "stock", Value: int32(s.rng.IntN(500))},
	}
	if s.one(2) {
		doc = append(doc, bson.E{Key: "dimensions", Value: bson.D{{Key: "w", Value: s.rng.Float64() * 100}, {Key: "h", Value: s.rng.Float64() * 100}, {Key: "unit", Value: "cm"}}})
	}
	if s.one(5) { // one supplier sends a rating as text
		doc = append(doc, bson.E{Key: "rating", Value: fmt.Sprintf("%d stars", 1+s.rng.IntN(5))})
	} else if !s.one(5) {
		doc = append(doc, bson.E{Key: "rating", Value: float64(s.rng.IntN(50)) / 10})
	}
	return doc
}

func (s *shop) order(n, customers, products int) bson.D {
	doc := bson.D{
		{Key: "_id", Value: s.id('o', n)},
		{Key: "number", Value: int64(n)},
		{Key: "customer_id", Value: s.id('c', 1+s.rng.IntN(customers))},
		{Key: "status", Value: statuses[s.rng.IntN(len(statuses))]},
		{Key: "placed", Value: bson.NewDateTimeFromTime(epoch.Add(time.Duration(n)*5*time.Minute + time.Duration(s.rng.IntN(60000))*time.Millisecond))},
	}
	items := bson.A{}
	for range 1 + s.rng.IntN(4) {
		item := bson.D{{Key: "product_id", Value: int32(1 + s.rng.IntN(products))}, {Key: "quantity", Value: int32(1 + s.rng.IntN(5))}, {Key: "price", Value: s.decimal(50000)}}
		if s.one(6) {
			item = append(item, bson.E{Key: "discount", Value: float64(s.rng.IntN(30)) / 100})
		}
		items = append(items, item)
	}
	doc = append(doc, bson.E{Key: "items", Value: items})
	switch {
	case s.one(4):
		doc = append(doc, bson.E{Key: "note", Value: nil})
	case s.one(4):
		doc = append(doc, bson.E{Key: "note", Value: "leave at the door"})
	}
	if !s.one(3) {
		doc = append(doc, bson.E{Key: "shipping", Value: bson.D{{Key: "method", Value: []string{"post", "courier"}[s.rng.IntN(2)]}, {Key: "cost", Value: s.decimal(2000)}}})
	}
	return doc
}

// decimal draws an amount of money below cents/100 with two decimals.
func (s *shop) decimal(cents int) bson.Decimal128 {
	d, _ := bson.ParseDecimal128(fmt.Sprintf("%d.%02d", s.rng.IntN(cents)/100, s.rng.IntN(100)))
	return d
}
