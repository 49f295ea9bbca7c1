// Package loopback tells the requests of programs on this machine from those of the rest of the world: what only the owner
// may ask for has no secret of its own.
package loopback

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// passedOn are the header fields by which proxies say that a request is somebody else's; all that begin with X-Forwarded are
// meant too.
var passedOn = map[string]bool{"Forwarded": true, "Via": true, "X-Real-Ip": true, "X-Client-Ip": true, "X-Cluster-Client-Ip": true,
	"X-Original-Forwarded-For": true, "X-Original-Host": true, "X-Envoy-External-Address": true, "X-Envoy-Original-Path": true,
	"True-Client-Ip": true, "Client-Ip": true, "Cf-Connecting-Ip": true, "Cf-Ray": true, "Fastly-Client-Ip": true, "Fly-Client-Ip": true,
	"X-Appengine-User-Ip": true, "X-Azure-Clientip": true, "X-Proxyuser-Ip": true, "Proxy-Connection": true, "Cdn-Loop": true}

// FromHere reports a request that a program on this machine sent to this machine by name: neither another machine's, nor one
// that a proxy passed on, nor that of a web page of another site or one whose name was pointed here.
func FromHere(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() {
		return false
	}
	for field := range r.Header {
		if passedOn[field] || strings.HasPrefix(field, "X-Forwarded") {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if !Host(host) {
		return false
	}
	return http.NewCrossOriginProtection().Check(r) == nil
}

// Host reports a host, as URLs and listen addresses name it, that is this machine by name.
func Host(host string) bool {
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
