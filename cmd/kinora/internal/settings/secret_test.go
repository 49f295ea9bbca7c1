package settings

import "testing"

func TestWithoutSecrets_hidesWhatOpensDoors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"postgres://user:pass@host/db":                                       "postgres://user:***@host/db",
		"postgres://user:p@s/s,w:o?rd@host/db":                               "postgres://user:***@host/db",
		"postgres://host/db?user=u&password=pass":                            "postgres://host/db?user=u&password=***",
		"nats://sesame@host:4222":                                            "nats://***@host:4222",
		"nats://a:pass@h1:4222,nats://b:pass@h2":                             "nats://a:***@h1:4222,nats://b:***@h2",
		"https://rpc.example/v3/9aa3d95b3bc440fa88ea12eaa4456161":            "https://rpc.example/v3/***",
		"https://rpc.example/?apikey=pass#x":                                 "https://rpc.example/?apikey=***#x",
		`Post "http://u:pass@h:1/": dial tcp: refused (try http://a:pass@b)`: `Post "http://u:***@h:1/": dial tcp: refused (try http://a:***@b)`,
		"host=h user=u password=pass dbname=d":                               "host=h user=u password=*** dbname=d",
		"password='pass word' host=h, see http://h":                          "password=*** host=h, see http://h",
		"http://127.0.0.1:8936":                                              "http://127.0.0.1:8936",
		"nothing to hide: a password file":                                   "nothing to hide: a password file",
		"":                                                                   "",
	} {
		if got := WithoutSecrets(text); got != want {
			t.Errorf("WithoutSecrets(%q) = %q, want %q", text, got, want)
		}
	}
}
