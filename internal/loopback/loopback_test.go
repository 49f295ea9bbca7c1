package loopback_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/kinora/kinora/internal/loopback"
)

func TestFromHere_isForProgramsOfThisMachineAlone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		remote, host, field, value string
		want                       bool
	}{
		"a program here":          {want: true},
		"over IPv6":               {remote: "[::1]:40000", host: "[::1]:8936", want: true},
		"mapped":                  {remote: "[::ffff:127.0.0.1]:40000", want: true},
		"by its name":             {host: "localhost:8936", want: true},
		"by its name alone":       {host: "localhost", want: true},
		"its own page":            {field: "Sec-Fetch-Site", value: "same-origin", want: true},
		"another machine":         {remote: "192.0.2.7:40000"},
		"no address":              {remote: "@"},
		"a name pointed here":     {host: "rebound.example:8936"},
		"another address of ours": {host: "192.0.2.1:8936"},
		"another site's page":     {field: "Sec-Fetch-Site", value: "cross-site"},
		"an older browser's page": {field: "Origin", value: "https://site.example"},
		"Forwarded":               {field: "Forwarded", value: "for=192.0.2.7"},
		"Via":                     {field: "Via", value: "1.1 proxy"},
		"X-Forwarded-For":         {field: "X-Forwarded-For", value: "192.0.2.7"},
		"X-Forwarded-Host":        {field: "X-Forwarded-Host", value: "public.example"},
		"X-Forwarded-Proto":       {field: "X-Forwarded-Proto", value: "https"},
		"X-Forwarded-Server":      {field: "X-Forwarded-Server", value: "proxy"},
		"empty X-Forwarded-For":   {field: "X-Forwarded-For"},
		"X-Real-IP":               {field: "X-Real-IP", value: "192.0.2.7"},
		"True-Client-IP":          {field: "True-Client-IP", value: "192.0.2.7"},
		"CF-Connecting-IP":        {field: "CF-Connecting-IP", value: "192.0.2.7"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/api/v1/drain", nil)
		r.RemoteAddr, r.Host = "127.0.0.1:40000", "127.0.0.1:8936"
		if c.remote != "" {
			r.RemoteAddr = c.remote
		}
		if c.host != "" {
			r.Host = c.host
		}
		if c.field != "" {
			r.Header.Set(c.field, c.value)
		}
		if got := loopback.FromHere(r); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestFromHere_isNotForWhoComesThroughAProxyHere(t *testing.T) {
	t.Parallel()
	answered := make(chan bool, 2)
	behind := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { answered <- loopback.FromHere(r) }))
	t.Cleanup(behind.Close)
	target, err := url.Parse(behind.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target); r.SetXForwarded() }})
	t.Cleanup(proxy.Close)
	for at, want := range map[string]bool{behind.URL: true, proxy.URL: false} {
		resp, err := http.Post(at, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := <-answered; got != want {
			t.Errorf("through %s: %v, want %v", at, got, want)
		}
	}
}
