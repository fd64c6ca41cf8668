/** How the operator's environment names other endpoints than the usual ones. */

/** Host and port of what is either that or a URL: of a URL only the host counts. */
export function hostOf(hostOrUrl: string): string {
  return hostOrUrl.replace(/^[a-z]+:\/\//i, '').replace(/\/.*$/, '')
}

/** `ALICLOUD_CLIENT_SCHEME` as the original understands it: in any case of letters, https for all but `HTTP`. */
export function schemeOf({ ALICLOUD_CLIENT_SCHEME }: Readonly<Record<string, string | undefined>>): 'http' | 'https' {
  return ALICLOUD_CLIENT_SCHEME?.toUpperCase() === 'HTTP' ? 'http' : 'https'
}
