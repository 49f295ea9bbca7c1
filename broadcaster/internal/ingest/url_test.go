package ingest_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/kinora/kinora/broadcaster/internal/ingest"
	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/broadcaster/internal/stream"
	"github.com/kinora/kinora/internal/protocol"
)

// A push whose body is a URL, said to be one in every way there is, is a segment of so many bytes and nothing to fetch.
func TestInputByURL_isNeverFetched(t *testing.T) {
	t.Parallel()
	var fetched atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	defer inside.Close()
	desk := &reader{}
	router := chi.NewRouter()
	ingest.New(desk, nil, ingest.NewSecret(""), ingest.Limits{MaxBytes: 1 << 20, MaxDuration: time.Minute, MinRate: 1, Grace: time.Minute},
		func(protocol.Code) {}, slog.New(slog.DiscardHandler)).Mount(router)
	front := httptest.NewServer(router)
	defer front.Close()

	for _, contentType := range []string{"application/vnd+livepeer.uri", "text/uri-list", "video/mp2t"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, front.URL+"/live/show/0.ts?url="+inside.URL, strings.NewReader(inside.URL+"/secret.ts"))
		if err != nil {
			t.Fatal(err)
		}
		for field, value := range map[string]string{"Content-Type": contentType, "Content-Duration": "2000", "Content-Resolution": "640x360",
			"Content-Location": inside.URL, "Location": inside.URL, "Referer": inside.URL} {
			request.Header.Set(field, value)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusUnprocessableEntity || desk.got != inside.URL+"/secret.ts" {
			t.Errorf("%s: status %d, the desk read %q; want the URL itself taken for bad media", contentType, response.StatusCode, desk.got)
		}
	}
	if n := fetched.Load(); n != 0 {
		t.Errorf("the URL was fetched %d times", n)
	}
}

// reader is a desk that reads a push and finds no media in it.
type reader struct{ got string }

func (d *reader) Push(_ context.Context, p stream.Push) (stream.Answer, error) {
	b, err := io.ReadAll(p.Body)
	if err != nil {
		return stream.Answer{}, err
	}
	d.got = string(b)
	return stream.Answer{}, protocol.Errorf(protocol.BadMedia, "%d bytes that are no MPEG-TS", len(b))
}

func (*reader) Read(protocol.SegmentKey, store.Rendition) ([]byte, error) {
	return nil, protocol.Errorf(protocol.NotFound, "nothing is kept")
}
