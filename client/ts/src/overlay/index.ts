// @muster/client/overlay: shows what a match measures, and makes its network worse.

export {};
