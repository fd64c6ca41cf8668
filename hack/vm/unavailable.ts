/** This machine cannot have the guest; the message says why. Nothing is broken. */
export class GuestUnavailable extends Error {
  override readonly name: string = 'GuestUnavailable'
}

/** For want of a package, which may be in the archive though apt's lists do not know. */
export class PackageUnavailable extends GuestUnavailable {
  override readonly name = 'PackageUnavailable'
}
