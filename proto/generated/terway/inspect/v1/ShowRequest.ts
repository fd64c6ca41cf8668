// Original file: proto/inspect.proto


export interface ShowRequest {
}

export interface ShowRequest__Output {
}
