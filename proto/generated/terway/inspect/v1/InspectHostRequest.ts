// Original file: proto/inspect.proto


export interface InspectHostRequest {
}

export interface InspectHostRequest__Output {
}
