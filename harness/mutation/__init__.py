"""The mutation check: each rule of the abstract machine altered in turn; does a case object?"""
